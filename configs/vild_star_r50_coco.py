"""ViLD* on OV-COCO, 48 base and 17 novel classes: the detector of DetPro's code in 6 epochs.

Command (see vild_star_r50_lvis.py for one GPU, initial weights and memory):

    torchrun --nproc_per_node 8 -m ovdistill train vild_star_r50_coco --launcher pytorch --amp
    ovdistill test vild_star_r50_coco work_dirs/vild_star_r50_coco/last.pth

Before it, once (on fewer GPUs see rpn_r50_coco.py):

    torchrun --nproc_per_node 8 -m ovdistill train rpn_r50_coco --launcher pytorch

Cost, computed as in vild_star_r50_lvis.py: 6 epochs of 107,761 images; 8 A100 with --amp 1.6 hours,
one 12 hours; 8 V100 in float32 5 hours, one 42 hours; memory as there. Regions on disk: at most
124 GB, with `prepare.regions.per_image=300` at most 37 GB.
Expected: no published figure is known to us: DetPro's paper trains on LVIS alone. ViLD's box AP50
novel/base/all 27.6/59.5/51.3 (45,000 iterations of batch 256) is for orientation.

Differences from published recipes: the length is that of OADP, which trains this detector on
OV-COCO for 40,000 iterations of batch 16 (5.9 epochs; its learning rate falls at 30,000, ours after
the fifth epoch); no repeated images, as there; 100 detections an image, where OADP counts 300.
For the rest see vild_star_r50_lvis.py.
"""

_base_ = [
    "_base_/runtime.py",
    "_base_/clip_b32.py",
    "_base_/coco_data.py",
    "_base_/coco_eval.py",
    "_base_/pipeline_1333.py",
    "_base_/r50_detpro.py",
    "_base_/schedule_detpro.py",
]

teacher = dict(crops=_base_.clip_crops)
vocabulary = "{cache}/vocabulary_detpro74.safetensors"
regions = "{cache}/regions_detpro"
prepare = dict(
    vocabulary=dict(templates="detpro74"),
    proposals=dict(network="rpn_r50_coco.py", checkpoint="{proposals}"),
    regions=dict(path="{regions}", per_image=1000),
)
model = dict(test_cfg=dict(rcnn=dict(max_per_img=100)))

load_regions = [dict(type="LoadTeacherRegions", store="{regions}", max_regions=1000)]
train_pipeline = [*_base_.load_masks, *load_regions, *_base_.augment_scales, *_base_.pack]
train_dataloader = dict(batch_size=2, sampler=_base_.sampler, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
val_evaluator = [dict(_base_.val_instances, metrics=("bbox", "segm"))]
test_evaluator = val_evaluator

train_cfg = dict(max_epochs=6, val_interval=3)
param_scheduler = [
    _base_.warmup,
    dict(type="MultiStepLR", by_epoch=True, milestones=[5], gamma=0.1),
]
default_hooks = dict(checkpoint=_base_.each_epoch)
log_processor = dict(by_epoch=True)
