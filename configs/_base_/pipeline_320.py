"""Images that fit into 320 x 320, for a student that runs on a CPU.

The parts of a training pipeline: load, augment, pack.
"""

load = [
    dict(type="LoadImage"),
    dict(type="LoadAnnotations", with_bbox=True, with_mask=True),
]
load_boxes = [
    dict(type="LoadImage"),
    dict(type="LoadAnnotations", with_bbox=True),
]
augment = [
    dict(
        type="RandomResize",
        resize_type="OVResize",
        scale=(320, 320),
        ratio_range=(0.75, 1.0),
        keep_ratio=True,
    ),
    dict(type="RandomFlip", prob=0.5),
]
pack = [dict(type="PackOVInputs")]
train_pipeline = [*load, *augment, *pack]
test_pipeline = [
    dict(type="LoadImage"),
    dict(type="OVResize", scale=(320, 320), keep_ratio=True),
    dict(
        type="PackOVInputs",
        meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor"),
    ),
]
