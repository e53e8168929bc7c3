"""A segmentor with ResNet-50 and FPN, and images in crops of 512 x 512.

Parts to build from: ``segmentor``, without terms, ``pixel_head``, and the pipelines. Whoever takes
it says which data.
"""

_base_ = ["runtime.py", "clip_b32.py", "r50.py", "schedule_segment.py"]

custom_imports = dict(
    imports=["ovdistill.segmentation.register", "ovdistill.training.register"],
    allow_failed_imports=False,
)
data_preprocessor = dict(_base_.data_preprocessor, pad_mask=False, pad_seg=True, seg_pad_value=-1)
pixel_head = dict(
    type="PixelWordHead",
    in_channels=256,
    inner_channels=128,
    start_level=0,
    end_level=4,
    temperature=0.07,
)
segmentor = dict(
    type="OpenVocabularySegmentor",
    vocabulary="{vocabulary}",
    distillers=[],
    data_preprocessor=data_preprocessor,
    backbone=_base_.backbone,
    # no level that the pixel head does not read: its weights would never get a gradient
    neck=dict(_base_.neck, num_outs=4, add_extra_convs=False),
    pixel_head=pixel_head,
)

load = [dict(type="LoadImage"), dict(type="LoadLabelMap")]
augment = [
    dict(type="RandomResize", scale=(2048, 512), ratio_range=(0.5, 2.0), keep_ratio=True),
    dict(type="RandomCrop", crop_size=(512, 512)),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PhotoMetricDistortion"),
]
pack = [dict(type="PackSegmentationInputs")]
train_pipeline = [*load, *augment, *pack]
test_load = [
    dict(type="LoadImage"),
    dict(type="OVResize", scale=(2048, 512), keep_ratio=True),
]
test_pack = [
    dict(
        type="PackSegmentationInputs",
        meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor"),
    )
]
# the label map is loaded last: it keeps the size of the image, as it is measured
test_pipeline = [*test_load, dict(type="LoadLabelMap"), *test_pack]
train_loader = dict(
    batch_size=2,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="InfiniteSampler", shuffle=True),
)
test_loader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=False,
    drop_last=False,
    sampler=dict(type="DefaultSampler", shuffle=False),
)
val_evaluator = [dict(type="SegmentationMetric")]
test_evaluator = val_evaluator
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
