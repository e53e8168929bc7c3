"""A mask-word segmentor trained on COCO, on ADE20K's 150 classes, without training on ADE20K.

Command (CHECKPOINT is one of maskword_r50_coco.py):

    ovdistill test transfer_ade20k CHECKPOINT

Layout of ``data_root``, the official one: images/validation/ and annotations/validation/ of
ADEChallengeData2016. All classes have the teacher's share of base ones, 0.4; those that COCO does
not have can be named: `--cfg-options "prepare.vocabulary.split=[...]"`.

Cost: not measured here.
Expected: mIoU 23.3 (FC-CLIP with ResNet-50, whose figures are of its own masks). Not reproduced
here. Panoptic quality is not measured: these label maps have no instances.
"""

_base_ = ["maskword_r50_coco.py"]

data_root = "data/ade/ADEChallengeData2016"
vocabulary = "{data_root}/vocabulary.safetensors"
prepare = dict(
    vocabulary=dict(names="ade20k", templates="vild63", synonyms=True),
)
train_cfg = None
model = dict(detector=dict(init_cfg=None), stuff=None)  # the label maps have no instances
val_evaluator = [dict(type="SegmentationMetric")]
test_evaluator = val_evaluator
val_dataloader = dict(
    **_base_.test_loader,
    dataset=dict(
        _delete_=True,
        type="SegmentationDataset",
        vocabulary="{vocabulary}",
        labels="ade20k",
        data_root="{data_root}",
        data_prefix=dict(img_path="images/validation/", seg_map_path="annotations/validation/"),
        pipeline=_base_.test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
