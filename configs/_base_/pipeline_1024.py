"""Images of 1024 x 1024: large-scale jitter in training, fitted in at test time.

The parts of a training pipeline: load, augment, pack.
"""

load = [
    dict(type="LoadImage"),
    dict(type="LoadAnnotations", with_bbox=True, with_mask=True),
]
augment = [
    dict(
        type="RandomResize",
        resize_type="OVResize",
        scale=(1024, 1024),
        ratio_range=(0.1, 2.0),
        keep_ratio=True,
    ),
    dict(
        type="RandomCrop",
        crop_type="absolute",
        crop_size=(1024, 1024),
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
    dict(type="OVResize", scale=(1024, 1024), keep_ratio=True),
    dict(
        type="PackOVInputs",
        meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor"),
    ),
]
