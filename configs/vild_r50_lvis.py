"""ViLD on OV-LVIS with the published recipe: ResNet-50 FPN, masks, teacher CLIP ViT-B/32.

Command (64 GPUs of 4 pictures make the published batch of 256; with fewer, add --auto-scale-lr):

    torchrun --nnodes 8 --nproc_per_node 8 tools/train.py configs/vild_r50_lvis.py \
        --launcher pytorch --amp
    python tools/test.py configs/vild_r50_lvis.py work_dirs/vild_r50_lvis/last.pth

Before it, once: `tools/train.py configs/rpn_r50_lvis.py`. The first command encodes the words and
the regions where they are missing, and says what it cannot make.

Cost: 180,000 iterations of batch 256 (460 epochs); not measured here.
Expected: mask AP novel/common/frequent/all 16.1/20.0/28.3/22.5 (the paper), 16.6/19.8/28.2/22.5
(its released checkpoint). Not reproduced here yet.

Known differences from the released TPU code: mmdet's RoIAlign and level assignment, the box loss
averaged over all sampled RoIs instead of the positives' coordinates, novel words at -inf in the
softmax instead of at zero, ImageNet initialisation.
"""

_base_ = ["_base_/runtime.py", "_base_/lvis_data.py", "_base_/r50.py"]

prepare = dict(
    proposals=dict(network="rpn_r50_lvis.py", checkpoint="{proposals}"),
    regions=dict(path="{regions}", per_image=300),
)

roi_extractor = dict(
    type="SingleRoIExtractor",
    roi_layer=dict(type="RoIAlign", output_size=7, sampling_ratio=0),
    out_channels=256,
    featmap_strides=[4, 8, 16, 32],
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
        bbox_head=dict(
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
        ),
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
            # with 1203 words a threshold of 0 keeps a million boxes a picture for the NMS
            score_thr=1e-4,
            nms=dict(type="nms", iou_threshold=0.5),
            max_per_img=300,
            mask_thr_binary=0.5,
        ),
    ),
)

train_pipeline = [
    *_base_.train_pipeline[:2],
    dict(type="LoadTeacherRegions", store="{regions}", max_regions=300),
    *_base_.train_pipeline[2:],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

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
