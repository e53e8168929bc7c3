"""The two-stage network that proposes distillation regions where objectness has to be right.

A class-agnostic Faster R-CNN, in which a RoI that no labelled object is near is no negative, as in
the benchmark's proposals_r18_shapes.py: it may hold an unlabelled object. The data must leave out
images without a base box (``filter_empty_gt``), in which every RoI would be a negative.
"""

_base_ = ["r50.py", "schedule_rpn.py"]

exempting_assigner = dict(_base_.rcnn_train_cfg.assigner, neg_iou_thr=(0.1, 0.5))
model = dict(
    type="FasterRCNN",
    data_preprocessor=_base_.data_preprocessor,
    backbone=_base_.backbone,
    neck=_base_.neck,
    rpn_head=_base_.rpn_head,
    roi_head=dict(
        type="StandardRoIHead",
        bbox_roi_extractor=_base_.roi_extractor,
        bbox_head=dict(
            type="Shared2FCBBoxHead",
            in_channels=256,
            fc_out_channels=1024,
            roi_feat_size=7,
            num_classes=1,
            reg_class_agnostic=True,
            loss_cls=dict(type="CrossEntropyLoss"),
            loss_bbox=dict(type="SmoothL1Loss", beta=1.0),
        ),
    ),
    train_cfg=dict(
        rpn=_base_.rpn_train_cfg,
        rpn_proposal=_base_.open_vocabulary_rcnn.train_cfg.rpn_proposal,
        rcnn=dict(_base_.rcnn_train_cfg, assigner=exempting_assigner),
    ),
    test_cfg=dict(
        rpn=_base_.open_vocabulary_rcnn.test_cfg.rpn,
        rcnn=dict(score_thr=0.0, nms=dict(type="nms", iou_threshold=0.5), max_per_img=300),
    ),
)
