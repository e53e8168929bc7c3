"""A training of 1000 iterations on OVShapes."""

train_cfg = dict(type="IterBasedTrainLoop", max_iters=1000, val_interval=1000)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=2e-3, weight_decay=0.01),
    clip_grad=dict(max_norm=10),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type="CosineAnnealingLR", by_epoch=False, begin=100, end=1000, eta_min=2e-5),
]
