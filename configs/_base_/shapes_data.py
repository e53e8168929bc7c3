"""OVShapes: images of 128 px, 65 words, split 'shape' or 'compositional'."""

data_root = "data/ovshapes"
split = "shape"
vocabulary = "{data_root}/{split}/vocabulary.safetensors"
proposals = "{data_root}/{split}/proposals.pth"
regions = "{data_root}/{split}/regions"
captions = "{data_root}/captions.safetensors"

teacher = dict(model="ovshapes")
prepare = dict(
    data=dict(type="shapes", root="{data_root}"),
    vocabulary=dict(
        path="{vocabulary}",
        names="{data_root}/annotations/instances_train.json",
        split="{split}",
        templates="single",
    ),
    proposals=dict(
        network="proposals_r18_shapes.py",
        checkpoint="{proposals}",
        published="proposals_{split}",
        train=True,
    ),
)

train_pipeline = [
    dict(type="LoadImage"),
    dict(type="LoadAnnotations", with_bbox=True, with_mask=True),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackOVInputs"),
]
test_pipeline = [
    dict(type="LoadImage"),
    dict(type="Resize", scale=(128, 128), keep_ratio=True),
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
val_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=False,
    drop_last=False,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="OVDataset",
        vocabulary="{vocabulary}",
        labelled="all",
        data_root="{data_root}",
        ann_file="annotations/instances_val.json",
        data_prefix=dict(img="images/"),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = dict(
    val_dataloader,
    dataset=dict(val_dataloader["dataset"], ann_file="annotations/instances_test.json"),
)
val_evaluator = [
    dict(type="OVMetric", ann_file="{data_root}/annotations/instances_val.json", protocol="lvis"),
    dict(type="ProposalRecall", ann_file="{data_root}/annotations/instances_val.json"),
]
test_evaluator = [
    dict(metric, ann_file="{data_root}/annotations/instances_test.json") for metric in val_evaluator
]
