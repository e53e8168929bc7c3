"""ViLD's detector and schedule on OV-LVIS, learning from the teacher's regions.

Whoever takes it says which distillation terms: ``model = dict(distillers=[...])``. Images without a
base box are kept: their regions are distilled.
"""

_base_ = [
    "runtime.py",
    "clip_b32.py",
    "lvis_data.py",
    "lvis_eval.py",
    "pipeline_1024.py",
    "r50.py",
    "schedule_vild.py",
]

prepare = dict(
    proposals=dict(network="rpn_r50_lvis.py", checkpoint="{proposals}"),
    regions=dict(path="{regions}", per_image=300),
)
model = _base_.open_vocabulary_rcnn
load_regions = [dict(type="LoadTeacherRegions", store="{regions}", max_regions=300)]
train_pipeline = [*_base_.load, *load_regions, *_base_.augment, *_base_.pack]
train_dataloader = dict(
    dataset=dict(pipeline=train_pipeline, filter_cfg=dict(filter_empty_gt=False))
)
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
