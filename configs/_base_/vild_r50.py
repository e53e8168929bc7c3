"""ViLD's detector with ResNet-50 FPN, and its schedule on LVIS."""

_base_ = ["r50.py"]

roi_extractor = dict(
    type="SingleRoIExtractor",
    roi_layer=dict(type="RoIAlign", output_size=7, sampling_ratio=0),
    out_channels=256,
    featmap_strides=[4, 8, 16, 32],
)
box_head = dict(
    type="ConvFCBBoxHead",
    num_shared_convs=4,
    num_shared_fcs=2,
    in_channels=256,
    conv_out_channels=256,
    fc_out_channels=1024,
    roi_feat_size=7,
    norm_cfg=_base_.norm_cfg,
    reg_class_agnostic=True,
    cls_predictor_cfg=dict(type="RegionWordHead", temperature=0.01),
    loss_cls=dict(type="RegionWordLoss"),
    loss_bbox=dict(type="SmoothL1Loss", beta=1.0),
)
# the second head of ViLD-ensemble, which the teacher alone trains; ViLD leaves it out
image_head = dict(
    box_head,
    with_reg=False,
    cls_predictor_cfg=dict(box_head["cls_predictor_cfg"], background=False),
    loss_cls=dict(type="RegionWordLoss", loss_weight=0.0),
)
model = dict(
    type="OpenVocabularyRCNN",
    vocabulary="{vocabulary}",
    distillers=[dict(type="ViLDTerm", loss_weight=0.5)],
    data_preprocessor=_base_.data_preprocessor,
    backbone=_base_.backbone,
    neck=_base_.neck,
    rpn_head=_base_.rpn_head,
    roi_head=dict(
        type="OpenVocabularyRoIHead",
        bbox_roi_extractor=roi_extractor,
        bbox_head=box_head,
        mask_roi_extractor=dict(
            roi_extractor, roi_layer=dict(type="RoIAlign", output_size=14, sampling_ratio=0)
        ),
        mask_head=dict(
            type="FCNMaskHead",
            num_convs=4,
            in_channels=256,
            conv_out_channels=256,
            class_agnostic=True,
            norm_cfg=_base_.norm_cfg,
            loss_mask=dict(type="CrossEntropyLoss", use_mask=True),
        ),
    ),
    train_cfg=dict(
        rpn=_base_.rpn_train_cfg,
        rpn_proposal=dict(
            nms_pre=2000, max_per_img=1000, nms=dict(type="nms", iou_threshold=0.7), min_bbox_size=0
        ),
        rcnn=dict(_base_.rcnn_train_cfg, mask_size=28),
    ),
    test_cfg=dict(
        rpn=dict(
            nms_pre=1000, max_per_img=1000, nms=dict(type="nms", iou_threshold=0.7), min_bbox_size=0
        ),
        rcnn=dict(
            # with a thousand words a threshold of 0 keeps a million boxes an image for the NMS
            score_thr=1e-4,
            nms=dict(type="nms", iou_threshold=0.5),
            max_per_img=300,  # LVIS; 100 on COCO
            mask_thr_binary=0.5,
        ),
    ),
)

train_cfg = dict(type="IterBasedTrainLoop", max_iters=180000, val_interval=30000)
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=0.32, momentum=0.9, weight_decay=4e-5),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=1000),
    dict(type="MultiStepLR", by_epoch=False, milestones=[162000, 171000, 175500], gamma=0.1),
]
auto_scale_lr = dict(enable=False, base_batch_size=256)
