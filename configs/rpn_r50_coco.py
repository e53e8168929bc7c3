"""The RPN that proposes distillation regions on OV-COCO, trained on boxes of base words only.

Command:

    torchrun --nproc_per_node 8 tools/train.py configs/rpn_r50_coco.py --launcher pytorch

Cost and result are not measured yet.
"""

_base_ = ["_base_/runtime.py", "_base_/coco_data.py", "_base_/rpn.py"]

train_dataloader = dict(batch_size=2, dataset=dict(pipeline=_base_.rpn_pipeline))
val_dataloader = None
val_evaluator = None
test_dataloader = None
test_evaluator = None
