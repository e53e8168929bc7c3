"""AdamW for a student with a pretrained backbone: 12 epochs of COCO in batches of 16.

Weights of norms and biases do not decay, except those of the backbone: mmengine applies
``norm_decay_mult`` and ``bias_decay_mult`` to no parameter that a custom key names. Left so, as it
was measured.
"""

train_cfg = dict(type="IterBasedTrainLoop", max_iters=88000, val_interval=22000)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=1e-3, weight_decay=0.01),
    paramwise_cfg=dict(
        norm_decay_mult=0.0,
        bias_decay_mult=0.0,
        custom_keys=dict(backbone=dict(lr_mult=0.1)),
    ),
    clip_grad=dict(max_norm=10),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=1000),
    dict(type="MultiStepLR", by_epoch=False, milestones=[66000, 82000], gamma=0.1),
]
auto_scale_lr = dict(enable=False, base_batch_size=16)
