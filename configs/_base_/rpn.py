"""The RPN that proposes distillation regions: its network and its schedule.

Whoever takes it adds data of base boxes only (``labelled="base"``) through ``rpn_pipeline``.
"""

_base_ = ["r50.py"]

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

rpn_pipeline = [
    dict(type="LoadImage"),
    dict(type="LoadAnnotations", with_bbox=True),
    dict(
        type="RandomResize",
        resize_type="OVResize",
        scale=(1333, 800),
        ratio_range=(0.8, 1.0),
        keep_ratio=True,
    ),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackOVInputs"),
]
train_cfg = dict(type="IterBasedTrainLoop", max_iters=90000, val_interval=90001)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=0.02, momentum=0.9, weight_decay=1e-4),
    clip_grad=dict(max_norm=35),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.001, by_epoch=False, begin=0, end=1000),
    dict(type="MultiStepLR", by_epoch=False, milestones=[60000, 80000], gamma=0.1),
]
auto_scale_lr = dict(enable=False, base_batch_size=16)
