"""A student of under a million parameters: three narrow ResNet-18 stages, FPN, RPN, two heads.

Parts to build from. ``roi_head`` knows no class: one score, one box, one mask for each region.
``open_vocabulary_rcnn`` is the detector of the recipes, without distillation. Crowds would be
background (``ignore_iof_thr=-1``, mmdet's default); OVShapes has none.
"""

norm_cfg = dict(type="BN", requires_grad=True)
data_preprocessor = dict(
    type="DetDataPreprocessor",
    mean=[127.5, 127.5, 127.5],
    std=[64.0, 64.0, 64.0],
    bgr_to_rgb=True,
    pad_mask=True,
    pad_size_divisor=16,
)
backbone = dict(
    type="ResNet",
    depth=18,
    base_channels=24,
    num_stages=3,
    strides=(1, 2, 2),
    dilations=(1, 1, 1),
    out_indices=(0, 1, 2),
    frozen_stages=-1,
    norm_cfg=norm_cfg,
    norm_eval=False,
    style="pytorch",
)
neck = dict(type="FPN", in_channels=[24, 48, 96], out_channels=48, num_outs=3, norm_cfg=norm_cfg)
rpn_head = dict(
    type="RPNHead",
    in_channels=48,
    feat_channels=48,
    anchor_generator=dict(type="AnchorGenerator", scales=[8, 11], ratios=[1.0], strides=[4, 8, 16]),
    bbox_coder=dict(type="DeltaXYWHBBoxCoder"),
    loss_cls=dict(type="CrossEntropyLoss", use_sigmoid=True),
    # with few boxes an image the mean over all sampled anchors leaves regression too little
    loss_bbox=dict(type="SmoothL1Loss", beta=1.0 / 9, loss_weight=10.0),
)
rpn_train_cfg = dict(
    assigner=dict(
        type="MaxIoUAssigner",
        pos_iou_thr=0.7,
        neg_iou_thr=0.3,
        min_pos_iou=0.3,
        match_low_quality=True,
        ignore_iof_thr=-1,
    ),
    sampler=dict(
        type="RandomSampler", num=128, pos_fraction=0.5, neg_pos_ub=-1, add_gt_as_proposals=False
    ),
    allowed_border=-1,
    pos_weight=-1,
    debug=False,
)
bbox_roi_extractor = dict(
    type="SingleRoIExtractor",
    # bins are about a cell wide, so that one sample serves; more are a third of the step's time
    roi_layer=dict(type="RoIAlign", output_size=7, sampling_ratio=1),
    out_channels=48,
    featmap_strides=[4, 8, 16],
    finest_scale=28,
)
mask_roi_extractor = dict(
    bbox_roi_extractor, roi_layer=dict(type="RoIAlign", output_size=14, sampling_ratio=1)
)
# chosen on val for text only, ViLD and Vouch (docs/results); without the gap of 'clip' 0.07
region_word_head = dict(type="RegionWordHead", temperature=0.01)
roi_head = dict(
    type="StandardRoIHead",
    bbox_roi_extractor=bbox_roi_extractor,
    bbox_head=dict(
        type="Shared2FCBBoxHead",
        in_channels=48,
        fc_out_channels=256,
        roi_feat_size=7,
        num_classes=1,
        reg_class_agnostic=True,
        loss_cls=dict(type="CrossEntropyLoss"),
        loss_bbox=dict(type="SmoothL1Loss", beta=1.0),
    ),
    mask_roi_extractor=mask_roi_extractor,
    mask_head=dict(
        type="FCNMaskHead",
        num_convs=2,
        in_channels=48,
        conv_out_channels=32,
        num_classes=1,
        class_agnostic=True,
        loss_mask=dict(type="CrossEntropyLoss", use_mask=True),
    ),
)
# on val: box AP +3.5 base, +5.7 novel; regressed boxes cut hearts and arrows, which are not in base
mask_boxes = dict(expand=1.15, threshold=-0.5, share=0.5)
rpn_proposals = dict(
    nms_pre=200, max_per_img=100, nms=dict(type="nms", iou_threshold=0.7), min_bbox_size=4
)
model_train_cfg = dict(
    rpn=rpn_train_cfg,
    rpn_proposal=rpn_proposals,
    rcnn=dict(
        assigner=dict(
            type="MaxIoUAssigner",
            pos_iou_thr=0.5,
            neg_iou_thr=0.5,
            min_pos_iou=0.5,
            match_low_quality=False,
            ignore_iof_thr=-1,
        ),
        sampler=dict(
            type="RandomSampler",
            num=48,
            pos_fraction=0.5,
            neg_pos_ub=-1,
            add_gt_as_proposals=True,
        ),
        mask_size=28,
        pos_weight=-1,
        debug=False,
    ),
)

# an embedding needs more than a score of objectness; on val, 1000 iterations of best_r18_shapes,
# novel / base AP: 54.1 / 75.6, with 512 features 59.0 / 77.7, with normalisation too 58.7 / 79.0
embedding_layers = dict(
    type="NormBoxHead",
    num_shared_fcs=2,
    fc_out_channels=512,
    norm_cfg=dict(type="GN", num_groups=16),
)
# more boxes of each object than the proposal network has: on val, AR@100 of ViLD 71.7 -> 79.1 novel
detector_proposals = dict(rpn_proposals, nms=dict(type="nms", iou_threshold=0.9))
open_vocabulary_rcnn = dict(
    type="OpenVocabularyRCNN",
    vocabulary="{vocabulary}",
    distillers=[],
    channels_last=True,
    data_preprocessor=data_preprocessor,
    backbone=backbone,
    neck=neck,
    rpn_head=rpn_head,
    roi_head=dict(
        roi_head,
        type="OpenVocabularyRoIHead",
        quality_head=dict(type="BoxQualityHead", in_channels=48),
        bbox_head=dict(
            roi_head["bbox_head"],
            **embedding_layers,
            cls_predictor_cfg=region_word_head,
            loss_cls=dict(type="RegionWordLoss"),
        ),
    ),
    train_cfg=model_train_cfg,
    test_cfg=dict(
        rpn=detector_proposals,
        rcnn=dict(
            score_thr=0.001,
            nms=dict(type="nms", iou_threshold=0.5),
            max_per_img=100,
            mask_thr_binary=0.5,
            mask_boxes=dict(mask_boxes, share=0.7),  # after a second look novel AP +1.8, base -0.2
            # on val, ViLD: novel AP 37.4 -> 48.9 without the quality head, which adds 1.4
            second_look=dict(iou=0.9, most=60, share=0.7),
            keep_proposals=True,
        ),
    ),
)
