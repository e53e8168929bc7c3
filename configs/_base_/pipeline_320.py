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
        ratio_range=(0.75, 1.25),
        keep_ratio=True,
    ),
    dict(
        type="RandomCrop",
        crop_type="absolute",
        crop_size=(320, 320),
        recompute_bbox=True,
        allow_negative_crop=True,
    ),
    # keep_empty=False is mmdet's way to say: keep an image that is left without boxes
    dict(type="FilterAnnotations", min_gt_bbox_wh=(1e-2, 1e-2), keep_empty=False),
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
