"""OV-COCO: 48 words are base, 17 novel; COCO's other 15 categories are not used.

Layout of ``data_root`` (the official files): annotations/instances_{train,val}2017.json,
annotations/captions_train2017.json, train2017/, val2017/. Novel annotations are dropped by the
data set; no other file is needed.
"""

_base_ = ["clip_b32.py"]

data_root = "data/coco"
train_ann = "annotations/instances_train2017.json"
val_ann = "annotations/instances_val2017.json"
train_images = "train2017/"
val_images = "val2017/"
cache = "data/coco"
vocabulary = "{cache}/vocabulary_vild63.safetensors"
proposals = "work_dirs/rpn_r50_coco/last.pth"
regions = "{cache}/regions"
caption_ann = "annotations/captions_train2017.json"
captions = "{cache}/captions.safetensors"

prepare = dict(
    vocabulary=dict(
        path="{vocabulary}",
        names="{data_root}/{train_ann}",
        split="coco",
        templates="vild63",
        embeddings=None,
    ),
)

train_pipeline = [
    dict(type="LoadImage"),
    dict(type="LoadAnnotations", with_bbox=True),
    dict(type="Resize", scale=(1333, 800), keep_ratio=True),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackOVInputs"),
]
test_pipeline = [
    dict(type="LoadImage"),
    dict(type="Resize", scale=(1333, 800), keep_ratio=True),
    dict(
        type="PackOVInputs",
        meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor"),
    ),
]

train_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type="InfiniteSampler", shuffle=True),
    dataset=dict(
        type="OVDataset",
        vocabulary="{vocabulary}",
        labelled="base",
        data_root="{data_root}",
        ann_file="{train_ann}",
        data_prefix=dict(img="{train_images}"),
        filter_cfg=dict(filter_empty_gt=True, min_size=32),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=False,
    drop_last=False,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="OVDataset",
        vocabulary="{vocabulary}",
        labelled="all",
        data_root="{data_root}",
        ann_file="{val_ann}",
        data_prefix=dict(img="{val_images}"),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = [
    dict(type="OVMetric", ann_file="{data_root}/{val_ann}", protocol="coco", metrics=("bbox",)),
]
test_evaluator = val_evaluator
