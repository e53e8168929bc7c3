"""A student for a CPU: MobileNetV4 of timm, frozen stem and statistics, narrow FPN and heads.

Parts to build from, next to those of r50.py, which assignment and sampling are taken from.
``small_rcnn`` is the detector, without distillation; ``small_rpn`` is its proposal network. Another
``backbone`` of timm needs no other number: ``in_channels="auto"``.

Anchors of two sizes an octave, from 22 pixels on; there is no level of stride 4, which would take
half of the time.
"""

_base_ = ["r50.py"]

small_norm = dict(type="GN", num_groups=16)  # small batches, and no statistics that have to settle
small_backbone = dict(
    type="TimmBackbone",
    model_name="mobilenetv4_conv_small",
    strides=(8, 16, 32),
    frozen_stride=4,
    norm_eval=True,
    channels_last=True,
    init_cfg=dict(type="Pretrained", checkpoint="timm://mobilenetv4_conv_small.e2400_r224_in1k"),
)
small_neck = dict(type="FPN", in_channels="auto", out_channels=96, num_outs=4, norm_cfg=small_norm)
small_rpn_head = dict(
    type="RPNHead",
    in_channels=96,
    feat_channels=96,
    anchor_generator=dict(
        type="AnchorGenerator",
        scales=[2.8, 4.0],
        ratios=[0.5, 1.0, 2.0],
        strides=[8, 16, 32, 64],
    ),
    bbox_coder=dict(type="DeltaXYWHBBoxCoder"),
    loss_cls=dict(type="CrossEntropyLoss", use_sigmoid=True),
    loss_bbox=dict(type="SmoothL1Loss", beta=1.0 / 9),
)
small_roi_extractor = dict(
    type="SingleRoIExtractor",
    roi_layer=dict(type="RoIAlign", output_size=7, sampling_ratio=1),
    out_channels=96,
    featmap_strides=[8, 16, 32],
    finest_scale=48,
)
small_box_head = dict(
    type="NormBoxHead",
    num_shared_fcs=1,
    in_channels=96,
    fc_out_channels=512,
    roi_feat_size=7,
    norm_cfg=small_norm,
    reg_class_agnostic=True,
    cls_predictor_cfg=dict(type="RegionWordHead", temperature=0.01),
    loss_cls=dict(type="RegionWordLoss"),
    loss_bbox=dict(type="SmoothL1Loss", beta=1.0),
)
small_mask_head = dict(
    type="NormMaskHead",
    num_convs=2,
    in_channels=96,
    conv_out_channels=64,
    class_agnostic=True,
    norm_cfg=small_norm,
    loss_mask=dict(type="CrossEntropyLoss", use_mask=True),
)
small_proposals = dict(
    nms_pre=500, max_per_img=200, nms=dict(type="nms", iou_threshold=0.7), min_bbox_size=0
)
small_rpn_train = dict(_base_.rpn_train_cfg, sampler=dict(_base_.rpn_train_cfg.sampler, num=128))
small_rcnn_train = dict(
    _base_.rcnn_train_cfg, sampler=dict(_base_.rcnn_train_cfg.sampler, num=64), mask_size=28
)
small_rcnn = dict(
    type="OpenVocabularyRCNN",
    vocabulary="{vocabulary}",
    distillers=[],
    channels_last=True,
    data_preprocessor=_base_.data_preprocessor,
    backbone=small_backbone,
    neck=small_neck,
    rpn_head=small_rpn_head,
    roi_head=dict(
        type="OpenVocabularyRoIHead",
        bbox_roi_extractor=small_roi_extractor,
        bbox_head=small_box_head,
        mask_roi_extractor=dict(
            small_roi_extractor,
            roi_layer=dict(type="RoIAlign", output_size=14, sampling_ratio=1),
        ),
        mask_head=small_mask_head,
    ),
    train_cfg=dict(rpn=small_rpn_train, rpn_proposal=small_proposals, rcnn=small_rcnn_train),
    test_cfg=dict(
        rpn=small_proposals,
        rcnn=dict(
            score_thr=1e-4,
            nms=dict(type="nms", iou_threshold=0.5),
            max_per_img=100,
            mask_thr_binary=0.5,
        ),
    ),
)
small_rpn = dict(
    type="RPN",
    data_preprocessor=_base_.data_preprocessor,
    backbone=small_backbone,
    neck=small_neck,
    rpn_head=small_rpn_head,
    train_cfg=dict(rpn=small_rpn_train),
    test_cfg=dict(rpn=small_proposals),
)
