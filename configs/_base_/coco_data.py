"""OV-COCO: 48 classes are base, 17 novel; COCO's other 15 categories are not used.

Layout of ``data_root`` (the official files): annotations/instances_{train,val}2017.json,
annotations/captions_train2017.json, train2017/, val2017/. Novel annotations are dropped by the
data set; no other file is needed.
"""

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
# steps of ``prepare`` for who needs them
prepare_captions = dict(path="{captions}", annotations="{data_root}/{caption_ann}")
load_caption = [dict(type="LoadTeacherCaption", store="{captions}")]

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
    ),
)
