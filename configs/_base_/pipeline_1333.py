"""Images of up to 1333 x 800, boxes alone; with masks for who takes ``load_masks``.

The parts of a training pipeline: load or load_masks, augment, pack.
"""

load = [
    dict(type="LoadImage"),
    dict(type="LoadAnnotations", with_bbox=True),
]
load_masks = [
    dict(type="LoadImage"),
    dict(type="LoadAnnotations", with_bbox=True, with_mask=True),
]
augment = [
    dict(type="OVResize", scale=(1333, 800), keep_ratio=True),
    dict(type="RandomFlip", prob=0.5),
]
pack = [dict(type="PackOVInputs")]
train_pipeline = [*load, *augment, *pack]
test_pipeline = [
    dict(type="LoadImage"),
    dict(type="OVResize", scale=(1333, 800), keep_ratio=True),
    dict(
        type="PackOVInputs",
        meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor"),
    ),
]
