"""The RPN that proposes distillation regions on LVIS, trained on boxes of base classes only.

Command:

    torchrun --nproc_per_node 8 -m ovdistill train rpn_r50_lvis --launcher pytorch

Cost and result are not measured yet. For orientation: DetPro's base-only RPN reaches an AR@100 of
36.5 on novel classes, ViLD's 39.3 (github.com/dyabel/detpro, issue 27).
"""

_base_ = [
    "_base_/runtime.py",
    "_base_/clip_b32.py",
    "_base_/lvis_data.py",
    "_base_/pipeline_1024.py",
    "_base_/rpn.py",
]

train_dataloader = dict(batch_size=2, dataset=dict(pipeline=_base_.rpn_pipeline))
