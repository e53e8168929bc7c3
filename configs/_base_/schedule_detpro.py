"""DetPro's schedule: 20 epochs of batch 16, the learning rate falls after the 16th.

It counts epochs, so any number of GPUs trains on as many images; --auto-scale-lr fits the learning
rate to the batch.
"""

sampler = dict(type="DefaultSampler", shuffle=True)
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=20, val_interval=10)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=0.02, momentum=0.9, weight_decay=2.5e-5),
)
warmup = dict(type="LinearLR", start_factor=0.001, by_epoch=False, begin=0, end=500)
param_scheduler = [
    warmup,
    dict(type="MultiStepLR", by_epoch=True, milestones=[16], gamma=0.1),
]
auto_scale_lr = dict(enable=False, base_batch_size=16)
# for who takes it: default_hooks = dict(checkpoint=each_epoch), log_processor = dict(by_epoch=True)
each_epoch = dict(by_epoch=True, interval=1)
