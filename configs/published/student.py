"""The detector in student.safetensors, made by ovdistill publish."""

custom_imports = dict(
    allow_failed_imports=False,
    imports=[
        "ovdistill.models.register",
    ],
)
default_scope = "mmdet"
model = dict(
    backbone=dict(
        base_channels=24,
        depth=18,
        dilations=(
            1,
            1,
            1,
        ),
        frozen_stages=-1,
        norm_cfg=dict(requires_grad=True, type="BN"),
        norm_eval=False,
        num_stages=3,
        out_indices=(
            0,
            1,
            2,
        ),
        strides=(
            1,
            2,
            2,
        ),
        style="pytorch",
        type="ResNet",
    ),
    channels_last=True,
    data_preprocessor=dict(
        bgr_to_rgb=True,
        mean=[
            127.5,
            127.5,
            127.5,
        ],
        pad_mask=True,
        pad_size_divisor=16,
        std=[
            64.0,
            64.0,
            64.0,
        ],
        type="DetDataPreprocessor",
    ),
    neck=dict(
        in_channels=[
            24,
            48,
            96,
        ],
        norm_cfg=dict(requires_grad=True, type="BN"),
        num_outs=3,
        out_channels=48,
        type="FPN",
    ),
    roi_head=dict(
        bbox_head=dict(
            cls_predictor_cfg=dict(temperature=0.07, type="RegionWordHead"),
            fc_out_channels=256,
            in_channels=48,
            loss_bbox=dict(beta=1.0, type="SmoothL1Loss"),
            loss_cls=dict(type="RegionWordLoss"),
            num_classes=1,
            reg_class_agnostic=True,
            roi_feat_size=7,
            type="Shared2FCBBoxHead",
        ),
        bbox_roi_extractor=dict(
            featmap_strides=[
                4,
                8,
                16,
            ],
            finest_scale=28,
            out_channels=48,
            roi_layer=dict(output_size=7, sampling_ratio=1, type="RoIAlign"),
            type="SingleRoIExtractor",
        ),
        mask_head=dict(
            class_agnostic=True,
            conv_out_channels=32,
            in_channels=48,
            loss_mask=dict(type="CrossEntropyLoss", use_mask=True),
            num_classes=1,
            num_convs=2,
            type="FCNMaskHead",
        ),
        mask_roi_extractor=dict(
            featmap_strides=[
                4,
                8,
                16,
            ],
            finest_scale=28,
            out_channels=48,
            roi_layer=dict(output_size=14, sampling_ratio=1, type="RoIAlign"),
            type="SingleRoIExtractor",
        ),
        type="OpenVocabularyRoIHead",
    ),
    rpn_head=dict(
        anchor_generator=dict(
            ratios=[
                1.0,
            ],
            scales=[
                8,
                11,
            ],
            strides=[
                4,
                8,
                16,
            ],
            type="AnchorGenerator",
        ),
        bbox_coder=dict(type="DeltaXYWHBBoxCoder"),
        feat_channels=48,
        in_channels=48,
        loss_bbox=dict(beta=0.1111111111111111, loss_weight=10.0, type="SmoothL1Loss"),
        loss_cls=dict(type="CrossEntropyLoss", use_sigmoid=True),
        type="RPNHead",
    ),
    test_cfg=dict(
        rcnn=dict(
            keep_proposals=True,
            mask_boxes=dict(expand=1.15, share=0.5, threshold=-0.5),
            mask_thr_binary=0.5,
            max_per_img=100,
            nms=dict(iou_threshold=0.5, type="nms"),
            score_thr=0.001,
        ),
        rpn=dict(
            max_per_img=100, min_bbox_size=4, nms=dict(iou_threshold=0.7, type="nms"), nms_pre=200
        ),
    ),
    train_cfg=dict(
        rcnn=dict(
            assigner=dict(
                ignore_iof_thr=-1,
                match_low_quality=False,
                min_pos_iou=0.5,
                neg_iou_thr=0.5,
                pos_iou_thr=0.5,
                type="MaxIoUAssigner",
            ),
            debug=False,
            mask_size=28,
            pos_weight=-1,
            sampler=dict(
                add_gt_as_proposals=True,
                neg_pos_ub=-1,
                num=48,
                pos_fraction=0.5,
                type="RandomSampler",
            ),
        ),
        rpn=dict(
            allowed_border=-1,
            assigner=dict(
                ignore_iof_thr=-1,
                match_low_quality=True,
                min_pos_iou=0.3,
                neg_iou_thr=0.3,
                pos_iou_thr=0.7,
                type="MaxIoUAssigner",
            ),
            debug=False,
            pos_weight=-1,
            sampler=dict(
                add_gt_as_proposals=False,
                neg_pos_ub=-1,
                num=128,
                pos_fraction=0.5,
                type="RandomSampler",
            ),
        ),
        rpn_proposal=dict(
            max_per_img=100, min_bbox_size=4, nms=dict(iou_threshold=0.7, type="nms"), nms_pre=200
        ),
    ),
    type="OpenVocabularyRCNN",
)
prepare = dict(vocabulary=dict(templates="single"))
teacher = dict(model="ovshapes")
test_pipeline = [
    dict(type="LoadImage"),
    dict(
        keep_ratio=True,
        scale=(
            128,
            128,
        ),
        type="OVResize",
    ),
    dict(
        meta_keys=(
            "img_id",
            "img_path",
            "ori_shape",
            "img_shape",
            "scale_factor",
        ),
        type="PackOVInputs",
    ),
]
