"""A training of 3000 iterations on OVShapes."""

_base_ = ["shapes_schedule.py"]

train_cfg = dict(max_iters=3000, val_interval=3000)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type="CosineAnnealingLR", by_epoch=False, begin=100, end=3000, eta_min=2e-5),
]
