"""Training pipeline and schedule of the networks that propose distillation regions: mmdet's 1x.

Whoever takes it adds data of base boxes only (``labelled="base"``) through ``rpn_pipeline``.
"""

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
