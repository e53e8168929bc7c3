"""The RPN that proposes distillation regions: its network and its schedule."""

_base_ = ["r50.py", "schedule_rpn.py"]

model = dict(
    type="RPN",
    data_preprocessor=_base_.data_preprocessor,
    backbone=_base_.backbone,
    neck=_base_.neck,
    rpn_head=_base_.rpn_head,
    train_cfg=dict(rpn=_base_.rpn_train_cfg),
    test_cfg=dict(
        rpn=dict(
            nms_pre=1000, max_per_img=1000, nms=dict(type="nms", iou_threshold=0.7), min_bbox_size=0
        )
    ),
)
