"""ViLD* of DetPro's code: Mask R-CNN with ResNet-50 FPN and two heads, one trained by the teacher.

Batch normalisation in backbone (with the statistics of its initial weights), pyramid and box heads;
none in the RPN and the mask head. Whoever takes it adds data and the vocabulary.
"""

_base_ = ["r50.py"]

# made synchronous across ranks by sync_bn; on one device it is the same thing
detpro_norm = dict(type="BN", requires_grad=True)
detpro_box_head = dict(
    type="ConvFCBBoxHead",
    num_shared_convs=4,
    num_shared_fcs=1,
    in_channels=256,
    conv_out_channels=256,
    fc_out_channels=1024,
    roi_feat_size=7,
    norm_cfg=detpro_norm,
    reg_class_agnostic=True,
    cls_predictor_cfg=dict(type="RegionWordHead", temperature=0.01, test_temperature=0.007),
    loss_cls=dict(type="RegionWordLoss"),
    loss_bbox=dict(type="L1Loss"),
)
detpro_image_head = dict(
    detpro_box_head,
    with_reg=False,
    cls_predictor_cfg=dict(detpro_box_head["cls_predictor_cfg"], background=False),
    loss_cls=dict(type="RegionWordLoss", loss_weight=0.0),
)
detpro_proposals = dict(
    nms_pre=1000, max_per_img=1000, nms=dict(type="nms", iou_threshold=0.7), min_bbox_size=1e-3
)
model = dict(
    type="OpenVocabularyRCNN",
    vocabulary="{vocabulary}",
    distillers=[dict(type="ViLDTerm", loss_weight=0.5)],
    data_preprocessor=_base_.data_preprocessor,
    backbone=dict(_base_.backbone, norm_cfg=detpro_norm, norm_eval=True),
    neck=dict(
        type="FPN",
        in_channels=[256, 512, 1024, 2048],
        out_channels=256,
        num_outs=5,
        norm_cfg=detpro_norm,
    ),
    rpn_head=dict(
        type="RPNHead",
        in_channels=256,
        feat_channels=256,
        anchor_generator=dict(
            type="AnchorGenerator", scales=[8], ratios=[0.5, 1.0, 2.0], strides=[4, 8, 16, 32, 64]
        ),
        bbox_coder=dict(type="DeltaXYWHBBoxCoder"),
        loss_cls=dict(type="CrossEntropyLoss", use_sigmoid=True),
        loss_bbox=dict(type="L1Loss"),
    ),
    roi_head=dict(
        type="OpenVocabularyRoIHead",
        bbox_roi_extractor=_base_.roi_extractor,
        bbox_head=detpro_box_head,
        image_head=detpro_image_head,
        mask_roi_extractor=dict(
            _base_.roi_extractor,
            roi_layer=dict(type="RoIAlign", output_size=14, sampling_ratio=0),
        ),
        mask_head=dict(
            type="FCNMaskHead",
            num_convs=4,
            in_channels=256,
            conv_out_channels=256,
            class_agnostic=True,
            loss_mask=dict(type="CrossEntropyLoss", use_mask=True),
        ),
    ),
    train_cfg=dict(
        rpn=_base_.rpn_train_cfg,
        rpn_proposal=dict(detpro_proposals, nms_pre=2000),
        rcnn=dict(
            _base_.rcnn_train_cfg,
            assigner=dict(_base_.rcnn_train_cfg.assigner, match_low_quality=True),
            mask_size=28,
        ),
    ),
    test_cfg=dict(rpn=detpro_proposals, rcnn=_base_.open_vocabulary_rcnn.test_cfg.rcnn),
)
