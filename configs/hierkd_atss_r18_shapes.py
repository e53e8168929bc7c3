"""HierKD in its own one-stage detector, on OVShapes: instances and captions. Boxes, no masks.

Command:

    ovdistill train hierkd_atss_r18_shapes
    ovdistill test hierkd_atss_r18_shapes work_dirs/hierkd_atss_r18_shapes/last.pth

The captions name novel objects, as COCO's do in HierKD's own training.

Result (split shape, geometry clip, test images, three seeds):
box AP base 56.3 +- 1.3, novel 9.9 +- 0.5.
"""

_base_ = [
    "_base_/runtime.py",
    "_base_/shapes_data.py",
    "_base_/shapes_eval.py",
    "_base_/shapes_schedule.py",
    "_base_/r18_shapes.py",
]

prepare = dict(
    proposals=_base_.prepare_proposals,
    regions=_base_.prepare_regions,
    captions=_base_.prepare_captions,
)
load_from = "{proposals}"
model = dict(
    type="OpenVocabularyATSS",
    vocabulary="{vocabulary}",
    distillers=[
        # a mean over three levels, of which two have objects: 0.75 of it has the size of ViLD's 0.5
        dict(type="HierKDInstanceTerm", norm=1, loss_weight=0.75),
        dict(type="HierKDGlobalTerm", text="phrases", loss_weight=0.5),
    ],
    data_preprocessor=dict(_base_.data_preprocessor, pad_mask=False),
    backbone=_base_.backbone,
    neck=_base_.neck,
    bbox_head=dict(
        type="OpenVocabularyATSSHead",
        num_classes=1,
        in_channels=48,
        feat_channels=96,
        stacked_convs=2,
        norm_cfg=_base_.norm_cfg,
        cls_predictor_cfg=_base_.region_word_head,
        anchor_generator=dict(
            type="AnchorGenerator",
            ratios=[1.0],
            octave_base_scale=5,
            scales_per_octave=1,
            strides=[4, 8, 16],
        ),
        bbox_coder=dict(type="DeltaXYWHBBoxCoder", target_stds=(0.1, 0.1, 0.2, 0.2)),
        loss_cls=dict(type="DenseRegionWordLoss"),
        loss_bbox=dict(type="GIoULoss", loss_weight=2.0),
    ),
    train_cfg=dict(
        assigner=dict(type="ATSSAssigner", topk=9), allowed_border=-1, pos_weight=-1, debug=False
    ),
    test_cfg=dict(
        nms_pre=1000,
        min_bbox_size=0,
        score_thr=0.001,
        nms=dict(type="nms", iou_threshold=0.5),
        max_per_img=100,
    ),
)
train_pipeline = [
    *_base_.load_boxes,
    *_base_.load_regions,
    *_base_.load_caption,
    *_base_.augment,
    *_base_.pack,
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
# neither masks nor proposals
val_evaluator = [dict(_base_.val_instances, metrics=("bbox",))]
test_evaluator = [dict(_base_.test_instances, metrics=("bbox",))]
