"""The RPN that proposes distillation regions on OV-COCO, trained on boxes of base classes only.

Command (8 GPUs of 2 images make the batch of 16; with fewer, add --auto-scale-lr):

    torchrun --nproc_per_node 8 -m ovdistill train rpn_r50_coco --launcher pytorch

Cost and result: not measured.

Differences from published proposals: see rpn_r50_lvis.py.
"""

_base_ = [
    "_base_/runtime.py",
    "_base_/clip_b32.py",
    "_base_/coco_data.py",
    "_base_/pipeline_1333.py",
    "_base_/rpn.py",
]

train_dataloader = dict(batch_size=2, dataset=dict(pipeline=_base_.rpn_pipeline))
