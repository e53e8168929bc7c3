"""ViLD on OVShapes, the embedded benchmark: boxes and masks of 65 words, 15-17 of them novel.

Command:

    python tools/train.py configs/vild_r18_shapes.py
    python tools/test.py configs/vild_r18_shapes.py work_dirs/vild_r18_shapes/last.pth

The other split: `--cfg-options split=compositional` to both.

Cost: 1000 iterations; about 0.4 s each on one CPU core of two (preparation about 4 minutes, once).
Result (split shape, test pictures, seed 0): box AP base 57.5, novel 14.5; mask AP 55.1, 15.7.
"""

_base_ = ["_base_/runtime.py", "_base_/shapes_data.py", "_base_/r18_shapes.py"]

prepare = dict(
    regions=dict(
        path="{regions}",
        proposals="rpn_r18_shapes.py",
        checkpoint="{data_root}/{split}/rpn.pth",
        train_proposals=True,
        per_image=20,
    )
)

word_head = dict(type="RegionWordHead", temperature=0.02)
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
        bbox_roi_extractor=dict(
            type="SingleRoIExtractor",
            roi_layer=dict(type="RoIAlign", output_size=7, sampling_ratio=2),
            out_channels=48,
            featmap_strides=[4, 8, 16],
            finest_scale=28,
        ),
        bbox_head=dict(
            type="Shared2FCBBoxHead",
            in_channels=48,
            fc_out_channels=256,
            roi_feat_size=7,
            reg_class_agnostic=True,
            cls_predictor_cfg=word_head,
            loss_cls=dict(type="RegionWordLoss"),
            loss_bbox=dict(type="SmoothL1Loss", beta=1.0),
        ),
        mask_roi_extractor=dict(
            type="SingleRoIExtractor",
            roi_layer=dict(type="RoIAlign", output_size=14, sampling_ratio=1),
            out_channels=48,
            featmap_strides=[4, 8, 16],
            finest_scale=28,
        ),
        mask_head=dict(
            type="FCNMaskHead",
            num_convs=2,
            in_channels=48,
            conv_out_channels=32,
            class_agnostic=True,
            loss_mask=dict(type="CrossEntropyLoss", use_mask=True),
        ),
    ),
    train_cfg=dict(
        rpn=_base_.rpn_train_cfg,
        rpn_proposal=dict(
            nms_pre=200, max_per_img=100, nms=dict(type="nms", iou_threshold=0.7), min_bbox_size=4
        ),
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
    ),
    test_cfg=dict(
        rpn=dict(
            nms_pre=200, max_per_img=100, nms=dict(type="nms", iou_threshold=0.7), min_bbox_size=4
        ),
        rcnn=dict(
            score_thr=0.001,
            nms=dict(type="nms", iou_threshold=0.5),
            max_per_img=100,
            mask_thr_binary=0.5,
            keep_proposals=True,
        ),
    ),
)

train_pipeline = [
    dict(type="LoadPicture"),
    dict(type="LoadAnnotations", with_bbox=True, with_mask=True),
    dict(type="LoadTeacherRegions", store="{regions}", max_regions=20),
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
