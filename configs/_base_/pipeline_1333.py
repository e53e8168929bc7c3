"""Images of up to 1333 x 800, boxes alone; with masks for who takes ``load_masks``.

The parts of a training pipeline: load or load_masks, augment or augment_scales, pack.
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
augment_scales = [
    dict(
        type="RandomChoiceResize",
        resize_type="OVResize",
        scales=[(1333, 640), (1333, 672), (1333, 704), (1333, 736), (1333, 768), (1333, 800)],
        keep_ratio=True,
    ),
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
