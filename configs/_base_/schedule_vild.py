"""ViLD's schedule on LVIS: 180,000 iterations of batch 256; kernels alone decay."""

train_cfg = dict(type="IterBasedTrainLoop", max_iters=180000, val_interval=30000)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=0.32, momentum=0.9, weight_decay=4e-5),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0),
)
warmup = dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=1000)
param_scheduler = [
    warmup,
    dict(type="MultiStepLR", by_epoch=False, milestones=[162000, 171000, 175500], gamma=0.1),
]
auto_scale_lr = dict(enable=False, base_batch_size=256)
