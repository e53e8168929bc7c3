"""ViLD on OVShapes, the embedded benchmark: boxes and masks of 65 words, 15-17 of them novel.

Command:

    python tools/train.py configs/vild_r18_shapes.py
    python tools/test.py configs/vild_r18_shapes.py work_dirs/vild_r18_shapes/last.pth

The other split: `--cfg-options split=compositional` to both.

Cost: 1000 iterations, about 4 minutes on two CPU cores (preparation about 2 more, once).
Result (split shape, test images, three seeds): box AP base 73.9 +- 1.0, novel 43.3 +- 4.7;
mask AP 69.6 +- 0.6, 46.9 +- 5.0.
"""

_base_ = ["_base_/runtime.py", "_base_/shapes_data.py", "_base_/r18_shapes.py"]

prepare = dict(regions=dict(path="{regions}", per_image=10))
load_from = "{proposals}"

model = dict(
    type="OpenVocabularyRCNN",
    vocabulary="{vocabulary}",
    distillers=[dict(type="ViLDTerm", loss_weight=0.5)],
    channels_last=True,
    data_preprocessor=_base_.data_preprocessor,
    backbone=_base_.backbone,
    neck=_base_.neck,
    rpn_head=_base_.rpn_head,
    roi_head=dict(
        _base_.roi_head,
        type="OpenVocabularyRoIHead",
        bbox_head=dict(
            _base_.roi_head.bbox_head,
            cls_predictor_cfg=_base_.region_word_head,
            loss_cls=dict(type="RegionWordLoss"),
        ),
    ),
    train_cfg=_base_.model_train_cfg,
    test_cfg=dict(
        rpn=_base_.rpn_proposals,
        rcnn=dict(
            score_thr=0.001,
            nms=dict(type="nms", iou_threshold=0.5),
            max_per_img=100,
            mask_thr_binary=0.5,
            mask_boxes=_base_.mask_boxes,
            keep_proposals=True,
        ),
    ),
)

train_pipeline = [
    dict(type="LoadImage"),
    dict(type="LoadAnnotations", with_bbox=True, with_mask=True),
    dict(type="LoadTeacherRegions", store="{regions}", max_regions=10),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackOVInputs"),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

train_cfg = dict(type="IterBasedTrainLoop", max_iters=1000, val_interval=1000)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=2e-3, weight_decay=0.01),
    clip_grad=dict(max_norm=10),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type="CosineAnnealingLR", by_epoch=False, begin=100, end=1000, eta_min=2e-5),
]
