"""What every config shares: scope, hooks, logs."""

default_scope = "mmdet"
custom_imports = dict(
    imports=["ovdistill.models.register", "ovdistill.training.register"],
    allow_failed_imports=False,
)

default_hooks = dict(
    timer=dict(type="IterTimerHook"),
    logger=dict(type="LoggerHook", interval=50),
    param_scheduler=dict(type="ParamSchedulerHook"),
    checkpoint=dict(type="SafeCheckpointHook", by_epoch=False, interval=5000, max_keep_ckpts=2),
    non_finite=dict(type="StopOnNonFinite"),
    keep_generators=dict(type="KeepGenerators"),
    sampler_seed=dict(type="DistSamplerSeedHook"),
    report_regions=dict(type="ReportRegions"),
    visualization=dict(type="DetVisualizationHook"),
)
env_cfg = dict(cudnn_benchmark=False, mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0))
visualizer = dict(
    type="DetLocalVisualizer",
    vis_backends=[dict(type="LocalVisBackend"), dict(type="TensorboardVisBackend")],
)
log_processor = dict(type="LogProcessor", window_size=50, by_epoch=False)
log_level = "INFO"
max_bad_images = 0  # of a training; more of them are an error, so many are skipped and listed
load_from = None
resume = False
