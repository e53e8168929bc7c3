"""OVShapes with label maps: 65 kinds of objects and the background.

The background is a base name in both splits. A pixel of a novel object has no label in training.

The parts of a training pipeline: load, load_regions, augment, pack.
"""

_base_ = ["shapes_data.py"]

vocabulary = "{data_root}/{split}/{geometry}/vocabulary_segmentation.safetensors"
prepare = dict(vocabulary=dict(names="ovshapes"))

load = [dict(type="LoadImage"), dict(type="LoadLabelMap")]
pack = [dict(type="PackSegmentationInputs")]
train_pipeline = [*load, *_base_.augment, *pack]
test_load = [
    dict(type="LoadImage"),
    dict(type="OVResize", scale=(128, 128), keep_ratio=True),
]
test_pack = [
    dict(
        type="PackSegmentationInputs",
        meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor"),
    )
]
# the label map is loaded last: it keeps the size of the image, as it is measured
test_pipeline = [*test_load, dict(type="LoadLabelMap"), *test_pack]

label_maps = dict(
    type="OVShapesSegmentationDataset",
    vocabulary="{vocabulary}",
    data_root="{data_root}",
    data_prefix=dict(img_path="images/"),
)
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        **label_maps,
        labelled="base",
        ann_file="annotations/instances_train.json",
        pipeline=train_pipeline,
    )
)
val_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=False,
    drop_last=False,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        **label_maps,
        ann_file="annotations/instances_val.json",
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = dict(
    val_dataloader,
    dataset=dict(val_dataloader["dataset"], ann_file="annotations/instances_test.json"),
)
val_evaluator = [dict(type="SegmentationMetric")]
test_evaluator = val_evaluator
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
