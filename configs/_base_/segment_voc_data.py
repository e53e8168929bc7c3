"""PASCAL VOC 2012 with 15 seen and 5 unseen classes; its background is not a class here.

Layout of ``data_root``, the official one: JPEGImages/, ImageSets/Segmentation/ and
SegmentationClass/; and for training the label maps and the list of the augmented set, or the
official ones in their place (``train_maps``, ``train_list``).
"""

_base_ = ["segment_r50.py"]

data_root = "data/voc/VOCdevkit/VOC2012"
train_list = "ImageSets/Segmentation/trainaug.txt"
train_maps = "SegmentationClassAug/"
vocabulary = "data/voc/vocabulary_segmentation.safetensors"
prepare = dict(
    vocabulary=dict(path="{vocabulary}", names="voc", split="voc-15", templates="vild63")
)

train_dataloader = dict(
    **_base_.train_loader,
    dataset=dict(
        type="SegmentationDataset",
        vocabulary="{vocabulary}",
        labels="voc",
        labelled="base",
        data_root="{data_root}",
        ann_file="{train_list}",
        data_prefix=dict(img_path="JPEGImages/", seg_map_path="{train_maps}"),
        pipeline=_base_.train_pipeline,
    ),
)
val_dataloader = dict(
    **_base_.test_loader,
    dataset=dict(
        type="SegmentationDataset",
        vocabulary="{vocabulary}",
        labels="voc",
        data_root="{data_root}",
        ann_file="ImageSets/Segmentation/val.txt",
        data_prefix=dict(img_path="JPEGImages/", seg_map_path="SegmentationClass/"),
        pipeline=_base_.test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
