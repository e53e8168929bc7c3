"""OV-LVIS: 866 frequent and common words are base, 337 rare ones novel.

Layout of ``data_root`` (the official files): annotations/lvis_v1_{train,val}.json, train2017/,
val2017/. Novel annotations are dropped by the data set; no other file is needed.
"""

data_root = "data/lvis"
train_ann = "annotations/lvis_v1_train.json"
val_ann = "annotations/lvis_v1_val.json"
pictures = ""
cache = "data/lvis"
vocabulary = "{cache}/vocabulary_vild63.safetensors"
proposals = "work_dirs/rpn_r50_lvis/last.pth"
regions = "{cache}/regions"
caption_ann = "annotations/captions_train2017.json"
captions = "{cache}/captions.safetensors"

teacher = dict(model="ViT-B-32-quickgelu", pretrained="openai", crops=dict(scales=(1.0, 1.5)))
prepare = dict(
    vocabulary=dict(
        path="{vocabulary}",
        names="{data_root}/{train_ann}",
        split="lvis",
        templates="vild63",
        embeddings=None,
    ),
)

# large-scale jitter, 1024 x 1024
train_pipeline = [
    dict(type="LoadPicture"),
    dict(type="LoadAnnotations", with_bbox=True, with_mask=True),
    dict(type="RandomResize", scale=(1024, 1024), ratio_range=(0.1, 2.0), keep_ratio=True),
    dict(
        type="RandomCrop",
        crop_type="absolute",
        crop_size=(1024, 1024),
        recompute_bbox=True,
        allow_negative_crop=True,
    ),
    dict(type="FilterAnnotations", min_gt_bbox_wh=(1e-2, 1e-2), keep_empty=False),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackOVInputs"),
]
test_pipeline = [
    dict(type="LoadPicture"),
    dict(type="Resize", scale=(1024, 1024), keep_ratio=True),
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
        data_prefix=dict(img="{pictures}"),
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
        data_prefix=dict(img="{pictures}"),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = [
    dict(type="OVMetric", ann_file="{data_root}/{val_ann}", protocol="lvis"),
]
test_evaluator = val_evaluator
