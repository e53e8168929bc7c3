"""ViLD* on OV-LVIS: ViLD-ensemble as DetPro's code trains it, in 20 epochs.

Command:

    torchrun --nproc_per_node 8 -m ovdistill train vild_star_r50_lvis --launcher pytorch
    ovdistill test vild_star_r50_lvis work_dirs/vild_star_r50_lvis/last.pth
"""

_base_ = [
    "_base_/runtime.py",
    "_base_/clip_b32.py",
    "_base_/lvis_data.py",
    "_base_/lvis_eval.py",
    "_base_/pipeline_1333.py",
    "_base_/r50_detpro.py",
    "_base_/schedule_detpro.py",
]

teacher = dict(crops=_base_.clip_crops)
vocabulary = "{cache}/vocabulary_detpro74.safetensors"
regions = "{cache}/regions_detpro"
prepare = dict(
    vocabulary=dict(templates="detpro74", synonyms=False),
    proposals=dict(network="rpn_r50_lvis.py", checkpoint="{proposals}"),
    regions=dict(path="{regions}", per_image=1000),
)

load = [
    *_base_.load_masks,
    dict(type="LoadTeacherRegions", store="{regions}", max_regions=1000),
]
augment = [
    dict(
        type="RandomChoiceResize",
        resize_type="OVResize",
        scales=[(1333, side) for side in range(640, 801, 32)],
        keep_ratio=True,
    ),
    dict(type="RandomFlip", prob=0.5),
]
train_pipeline = [*load, *augment, *_base_.pack]
train_dataloader = dict(
    batch_size=2,
    sampler=_base_.sampler,
    dataset=dict(
        _delete_=True,
        type="ClassBalancedDataset",  # repeats images by the counts of base classes
        oversample_thr=1e-3,
        dataset=dict(_base_.train_dataloader.dataset, pipeline=train_pipeline),
    ),
)
default_hooks = dict(checkpoint=_base_.each_epoch)
log_processor = dict(by_epoch=True)
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
