"""Further classes for a trained detector, which keeps what it finds by text, on OVShapes.

Command:

    ovdistill prepare best_r18_shapes    # the old images and their regions
    ovdistill train continue_r18_shapes --load-from ovshapes
    ovdistill test continue_r18_shapes work_dirs/continue_r18_shapes/last.pth

Without --load-from it starts from work_dirs/best_r18_shapes/last.pth. Split shape only: arrows, of
which that detector knew the names alone, are labelled in 130 new images, in which nothing else is
labelled; hearts and hexagons stay novel. docs/continue.md explains the parts, compares them with
plain training, and has the config for data of your own.

Cost: 100 iterations, about a minute on one CPU core, and the regions of the new images once.
Result (geometry clip, test images, three seeds):
box AP new 56.8 -> 70.6 +- 0.6, novel 71.9 -> 73.0 +- 0.2, base 83.2 -> 82.6 +- 0.2;
mask AP 57.6 -> 65.6 +- 1.0, 74.6 -> 75.4 +- 0.5, 79.2 -> 78.9 +- 0.0.
"""

_base_ = ["best_r18_shapes.py"]

patterns = ["solid", "striped", "dotted", "checkered", "outlined"]
old_shapes = "circle square triangle star pentagon cross ring crescent diamond ellipse".split()
old_names = [f"{pattern} {shape}" for pattern in patterns for shape in old_shapes]
new_names = [f"{pattern} arrow" for pattern in patterns]
novel_names = [f"{pattern} {shape}" for pattern in patterns for shape in ("heart", "hexagon")]

new_root = "data/ovshapes_new"
vocabulary = "{new_root}/vocabulary.safetensors"
new_regions = "{new_root}/regions"
prepare = dict(
    # the val images of another seed: its classes are equally likely
    data=dict(root="{new_root}", drawn=dict(seed=1, train=1, val=400, test=1)),
    vocabulary=dict(split=novel_names),
    regions=dict(path="{new_regions}"),
)

load_from = "work_dirs/best_r18_shapes/last.pth"
old_data = dict(_base_.train_dataloader.dataset, labelled=old_names)
new_pipeline = [
    *_base_.load,
    dict(type="LoadTeacherRegions", store="{new_regions}", max_regions=10),
    *_base_.augment,
    *_base_.pack,
]
new_data = dict(
    old_data,
    labelled=new_names,
    data_root="{new_root}",
    ann_file="annotations/instances_val.json",
    filter_cfg=dict(filter_empty_gt=True),  # the images in which somebody has labelled an object
    pipeline=new_pipeline,
)
train_dataloader = dict(
    sampler=dict(_delete_=True, type="InfiniteSourceSampler", batch_size=1, ratio=(1, 1)),
    dataset=dict(
        _delete_=True,
        type="ConcatDataset",
        datasets=[new_data, old_data],  # regions are extracted for the first
    ),
)

train_cfg = dict(max_iters=100, val_interval=100)
optim_wrapper = dict(optimizer=dict(lr=2e-4))
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=10),
    dict(type="CosineAnnealingLR", by_epoch=False, begin=10, end=100, eta_min=2e-6),
]
