"""The network that proposes Vouch's distillation regions on OV-COCO, from base boxes only.

Command:

    torchrun --nproc_per_node 8 -m ovdistill train proposals_r50_coco --launcher pytorch

TEXT
"""

_base_ = [
    "_base_/runtime.py",
    "_base_/clip_b32.py",
    "_base_/coco_data.py",
    "_base_/pipeline_1333.py",
    "_base_/proposals_r50.py",
]

train_dataloader = dict(
    batch_size=2, dataset=dict(class_agnostic=True, pipeline=_base_.rpn_pipeline)
)
