"""AdamW for a segmentor with a pretrained backbone: 20,000 iterations of batch 16.

Weights of norms and biases do not decay, except those of the backbone: mmengine applies
``norm_decay_mult`` and ``bias_decay_mult`` to no parameter that a custom key names. Left so, as it
was measured.
"""

train_cfg = dict(type="IterBasedTrainLoop", max_iters=20000, val_interval=5000)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=5e-4, weight_decay=0.01),
    paramwise_cfg=dict(
        norm_decay_mult=0.0,
        bias_decay_mult=0.0,
        custom_keys=dict(backbone=dict(lr_mult=0.1)),
    ),
    clip_grad=dict(max_norm=10),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=500),
    dict(type="PolyLR", power=0.9, by_epoch=False, begin=500, end=20000, eta_min=0),
]
auto_scale_lr = dict(enable=False, base_batch_size=16)
