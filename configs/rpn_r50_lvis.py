"""The RPN that proposes distillation regions on LVIS, trained on boxes of base words only.

Command:

    torchrun --nproc_per_node 8 tools/train.py configs/rpn_r50_lvis.py --launcher pytorch

Cost and result are not measured yet. For orientation: DetPro's base-only RPN reaches an AR@100 of
36.5 on novel classes, ViLD's 39.3 (github.com/dyabel/detpro, issue 27).
"""

_base_ = ["_base_/runtime.py", "_base_/lvis_data.py", "_base_/rpn.py"]

train_dataloader = dict(batch_size=2, dataset=dict(pipeline=_base_.rpn_pipeline))
val_dataloader = None
val_evaluator = None
test_dataloader = None
test_evaluator = None
