"""OV-LVIS: 866 frequent and common classes are base, 337 rare ones novel.

Layout of ``data_root`` (the official files): annotations/lvis_v1_{train,val}.json, train2017/,
val2017/. Novel annotations are dropped by the data set; no other file is needed.
"""

data_root = "data/lvis"
train_ann = "annotations/lvis_v1_train.json"
val_ann = "annotations/lvis_v1_val.json"
images = ""
cache = "data/lvis"
vocabulary = "{cache}/vocabulary_vild63_synonyms.safetensors"
proposals = "work_dirs/rpn_r50_lvis/last.pth"
regions = "{cache}/regions"
caption_ann = "annotations/captions_train2017.json"
captions = "{cache}/captions.safetensors"

prepare = dict(
    vocabulary=dict(
        path="{vocabulary}",
        names="{data_root}/{train_ann}",
        split="lvis",
        templates="vild63",
        synonyms=True,  # averaged as in ViLD's published embeddings
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
        data_prefix=dict(img="{images}"),
        filter_cfg=dict(filter_empty_gt=True, min_size=32),
    ),
)
