"""The RPN that proposes distillation regions on LVIS, trained on boxes of base classes only.

Command (8 GPUs of 2 images make the batch of 16; with fewer, add --auto-scale-lr):

    torchrun --nproc_per_node 8 -m ovdistill train rpn_r50_lvis --launcher pytorch

Cost and result: not measured. For orientation, AR@100 of RPNs trained on base boxes: ViLD's
39.3 on novel classes; DetPro's, with a ResNet-101, 36.5 over all classes, which does not compare
(github.com/dyabel/detpro, issue 27).

Differences from published proposals: ViLD's release has no recipe of its own for them; DetPro's RPN
has a ResNet-101, RKD's boxes are of MViT. One RPN here serves every recipe, in the schedule of
mmdet's 1x (90,000 iterations of batch 16).
"""

_base_ = [
    "_base_/runtime.py",
    "_base_/clip_b32.py",
    "_base_/lvis_data.py",
    "_base_/pipeline_1024.py",
    "_base_/rpn.py",
]

train_dataloader = dict(batch_size=2, dataset=dict(pipeline=_base_.rpn_pipeline))
