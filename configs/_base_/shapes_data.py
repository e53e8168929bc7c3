"""OVShapes: images of 128 px, 65 class names, split 'shape' or 'compositional'.

``geometry`` is that of the teacher's embeddings: 'clip' has CLIP's gap between images and texts,
'plain' is the teacher as it was trained (docs/geometry.md).

The parts of a training pipeline: load, load_regions, load_caption, augment, pack.
"""

data_root = "data/ovshapes"
split = "shape"
geometry = "clip"
vocabulary = "{data_root}/{split}/{geometry}/vocabulary.safetensors"
proposals = "{data_root}/{split}/proposals.pth"
regions = "{data_root}/{split}/{geometry}/regions"
captions = "{data_root}/{geometry}/captions.safetensors"

teacher = dict(model="ovshapes", embedding_map="ovshapes-{geometry}")
prepare = dict(
    data=dict(type="shapes", root="{data_root}"),
    vocabulary=dict(
        path="{vocabulary}",
        names="{data_root}/annotations/instances_train.json",
        split="{split}",
        templates="single",
    ),
)
# steps of ``prepare`` for who needs them
prepare_proposals = dict(
    network="proposals_r18_shapes.py",
    checkpoint="{proposals}",
    published="proposals_{split}",
    train=True,
)
prepare_regions = dict(path="{regions}", per_image=10)
prepare_captions = dict(
    path="{captions}", annotations="{data_root}/annotations/captions_train.json"
)

load = [
    dict(type="LoadImage"),
    dict(type="LoadAnnotations", with_bbox=True, with_mask=True),
]
load_boxes = [
    dict(type="LoadImage"),
    dict(type="LoadAnnotations", with_bbox=True),
]
load_regions = [dict(type="LoadTeacherRegions", store="{regions}", max_regions=10)]
load_caption = [dict(type="LoadTeacherCaption", store="{captions}")]
augment = [dict(type="RandomFlip", prob=0.5)]
pack = [dict(type="PackOVInputs")]
train_pipeline = [*load, *augment, *pack]
test_pipeline = [
    dict(type="LoadImage"),
    dict(type="OVResize", scale=(128, 128), keep_ratio=True),
    dict(
        type="PackOVInputs",
        meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor"),
    ),
]

train_dataloader = dict(
    batch_size=8,
    num_workers=0,  # images this small are read faster than handed over by another process
    persistent_workers=False,
    sampler=dict(type="InfiniteSampler", shuffle=True),
    dataset=dict(
        type="OVDataset",
        vocabulary="{vocabulary}",
        labelled="base",
        data_root="{data_root}",
        ann_file="annotations/instances_train.json",
        data_prefix=dict(img="images/"),
        pipeline=train_pipeline,
    ),
)
