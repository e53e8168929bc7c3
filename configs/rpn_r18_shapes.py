"""The RPN that proposes distillation regions on OVShapes, trained on base boxes only.

Command: run by `tools/train.py configs/vild_r18_shapes.py` when its regions are missing, or alone:

    python tools/train.py configs/rpn_r18_shapes.py

Cost: about 1 minute on two CPU cores.
"""

_base_ = ["_base_/runtime.py", "_base_/shapes_data.py", "_base_/r18_shapes.py"]

model = dict(
    type="RPN",
    data_preprocessor=_base_.data_preprocessor,
    backbone=_base_.backbone,
    neck=_base_.neck,
    rpn_head=_base_.rpn_head,
    train_cfg=dict(rpn=_base_.rpn_train_cfg),
    test_cfg=dict(
        rpn=dict(
            nms_pre=200, max_per_img=100, nms=dict(type="nms", iou_threshold=0.7), min_bbox_size=4
        )
    ),
)

train_pipeline = [
    dict(type="LoadPicture"),
    dict(type="LoadAnnotations", with_bbox=True),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackOVInputs"),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
train_cfg = dict(type="IterBasedTrainLoop", max_iters=300, val_interval=300)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=2e-3, weight_decay=0.01),
    clip_grad=dict(max_norm=10),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type="CosineAnnealingLR", by_epoch=False, begin=50, end=300, eta_min=2e-5),
]
val_cfg = None
val_dataloader = None
val_evaluator = None
test_cfg = None
test_dataloader = None
test_evaluator = None
