"""ResNet-50 FPN with batch normalisation where ViLD's released detector has it.

That is after every layer but lateral convolutions and predictions: in the backbone, after the
pyramid's outputs, and in the RPN, box and mask heads. Parts to build from. ``open_vocabulary_rcnn``
is ViLD's detector, without distillation; ``plain_rpn_head`` is mmdet's RPN, without normalisation.

Known differences from the released network: level 6 is convolved from level 5 after its
normalisation, there before (mmdet's FPN). The released configuration asks for two convolutions in
the RPN, but its code builds one; so does this one.

``ignore_iof_thr=-1``, mmdet's default: crowds and objects without a mask are background. A config
that ``ovdistill init-dataset`` writes ignores them.
"""

# made synchronous across ranks by sync_bn; on one device it is the same thing
norm_cfg = dict(type="BN", momentum=0.003, eps=1e-4, requires_grad=True)
sync_bn = "torch"
data_preprocessor = dict(
    type="DetDataPreprocessor",
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_mask=True,
    pad_size_divisor=32,
)
backbone = dict(
    type="ResNet",
    depth=50,
    num_stages=4,
    out_indices=(0, 1, 2, 3),
    frozen_stages=-1,
    norm_cfg=norm_cfg,
    norm_eval=False,
    style="pytorch",
    init_cfg=dict(type="Pretrained", checkpoint="torchvision://resnet50"),
)
neck = dict(
    type="FPN",
    in_channels=[256, 512, 1024, 2048],
    out_channels=256,
    num_outs=5,
    norm_cfg=norm_cfg,
    no_norm_on_lateral=True,
    add_extra_convs="on_output",
)
plain_rpn_head = dict(
    type="RPNHead",
    in_channels=256,
    feat_channels=256,
    anchor_generator=dict(
        type="AnchorGenerator", scales=[8], ratios=[0.5, 1.0, 2.0], strides=[4, 8, 16, 32, 64]
    ),
    bbox_coder=dict(type="DeltaXYWHBBoxCoder"),
    loss_cls=dict(type="CrossEntropyLoss", use_sigmoid=True),
    loss_bbox=dict(type="SmoothL1Loss", beta=1.0 / 9),
)
rpn_head = dict(plain_rpn_head, type="NormRPNHead", norm_cfg=norm_cfg)
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
        type="RandomSampler", num=256, pos_fraction=0.5, neg_pos_ub=-1, add_gt_as_proposals=False
    ),
    allowed_border=-1,
    pos_weight=-1,
    debug=False,
)
rcnn_train_cfg = dict(
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
        num=512,
        pos_fraction=0.25,
        neg_pos_ub=-1,
        add_gt_as_proposals=True,
    ),
    pos_weight=-1,
    debug=False,
)

roi_extractor = dict(
    type="SingleRoIExtractor",
    roi_layer=dict(type="RoIAlign", output_size=7, sampling_ratio=0),
    out_channels=256,
    featmap_strides=[4, 8, 16, 32],
)
box_head = dict(
    type="NormBoxHead",
    num_shared_convs=4,
    num_shared_fcs=2,
    in_channels=256,
    conv_out_channels=256,
    fc_out_channels=1024,
    roi_feat_size=7,
    norm_cfg=norm_cfg,
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
open_vocabulary_rcnn = dict(
    type="OpenVocabularyRCNN",
    vocabulary="{vocabulary}",
    distillers=[],
    data_preprocessor=data_preprocessor,
    backbone=backbone,
    neck=neck,
    rpn_head=rpn_head,
    roi_head=dict(
        type="OpenVocabularyRoIHead",
        bbox_roi_extractor=roi_extractor,
        bbox_head=box_head,
        mask_roi_extractor=dict(
            roi_extractor, roi_layer=dict(type="RoIAlign", output_size=14, sampling_ratio=0)
        ),
        mask_head=dict(
            type="NormMaskHead",
            num_convs=4,
            in_channels=256,
            conv_out_channels=256,
            class_agnostic=True,
            norm_cfg=norm_cfg,
            loss_mask=dict(type="CrossEntropyLoss", use_mask=True),
        ),
    ),
    train_cfg=dict(
        rpn=rpn_train_cfg,
        rpn_proposal=dict(
            nms_pre=2000, max_per_img=1000, nms=dict(type="nms", iou_threshold=0.7), min_bbox_size=0
        ),
        rcnn=dict(rcnn_train_cfg, mask_size=28),
    ),
    test_cfg=dict(
        rpn=dict(
            nms_pre=1000, max_per_img=1000, nms=dict(type="nms", iou_threshold=0.7), min_bbox_size=0
        ),
        rcnn=dict(
            # with a thousand classes a threshold of 0 keeps a million boxes an image for the NMS
            score_thr=1e-4,
            nms=dict(type="nms", iou_threshold=0.5),
            max_per_img=300,  # LVIS; 100 on COCO
            mask_thr_binary=0.5,
        ),
    ),
)
