"""COCO-Stuff with 156 seen and 15 unseen classes.

Layout of ``data_root``: train2017/, val2017/, and stuffthingmaps/{train2017,val2017}/ with the PNG
files of the official archive stuffthingmaps_trainval2017.zip.
"""

_base_ = ["segment_r50.py"]

data_root = "data/coco"
vocabulary = "{data_root}/vocabulary_stuff.safetensors"
prepare = dict(
    vocabulary=dict(path="{vocabulary}", names="coco-stuff", split="stuff-156", templates="vild63")
)

train_dataloader = dict(
    **_base_.train_loader,
    dataset=dict(
        type="SegmentationDataset",
        vocabulary="{vocabulary}",
        labels="coco-stuff",
        labelled="base",
        data_root="{data_root}",
        data_prefix=dict(img_path="train2017/", seg_map_path="stuffthingmaps/train2017/"),
        pipeline=_base_.train_pipeline,
    ),
)
val_dataloader = dict(
    **_base_.test_loader,
    dataset=dict(
        type="SegmentationDataset",
        vocabulary="{vocabulary}",
        labels="coco-stuff",
        data_root="{data_root}",
        data_prefix=dict(img_path="val2017/", seg_map_path="stuffthingmaps/val2017/"),
        pipeline=_base_.test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
