"""A student of under a million parameters: three narrow ResNet-18 stages, FPN, RPN, two heads."""

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
    # with few boxes a picture the mean over all sampled anchors leaves regression too little
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
