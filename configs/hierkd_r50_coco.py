"""HierKD on OV-COCO with its own one-stage detector: ATSS, ResNet-50 FPN, teacher CLIP ViT-B/32.

Command (the paper has 8 images a GPU and does not say how many GPUs; lr is for 64 images, with
another batch add --auto-scale-lr):

    torchrun --nproc_per_node 8 -m ovdistill train hierkd_r50_coco --launcher pytorch
    ovdistill test hierkd_r50_coco work_dirs/hierkd_r50_coco/last.pth

Before it, once (on fewer GPUs see rpn_r50_coco.py):

    torchrun --nproc_per_node 8 -m ovdistill train rpn_r50_coco --launcher pytorch

The first command embeds class names, captions and regions where they are missing, and says what it
cannot make. The captions name novel objects. Images without a base box are left out: the instance
level distils labelled objects only.

Cost: 12 epochs; not measured here.
Expected: box AP50 novel/base/all 20.3/51.3/43.2 (the paper). Not reproduced here.

Known differences from the released code: the teacher sees precomputed regions, in its own pixel
statistics (the code takes ImageNet's, a slip), in place of crops of the predicted boxes, so that it
runs once and not in every step, and a region is distilled on the level whose anchors fit it, at its
centre, where there every positive location is; a 1 x 1 map to the embedding in place of a 3 x 3,
the layer of all detectors here; the background starts at random, not from the text "a photo of
background.", for which a vocabulary has no place.
"""

_base_ = [
    "_base_/runtime.py",
    "_base_/clip_b32.py",
    "_base_/coco_data.py",
    "_base_/coco_eval.py",
    "_base_/pipeline_1333.py",
    "_base_/r50.py",
]

teacher = dict(crops=dict(scales=(1.0,), shape="pad"))  # as the released code cuts its crops
vocabulary = "{cache}/vocabulary_hierkd.safetensors"
regions = "{cache}/regions_hierkd"
prepare = dict(
    vocabulary=dict(templates=["a photo of a {}."]),
    proposals=dict(network="rpn_r50_coco.py", checkpoint="{proposals}"),
    regions=dict(path="{regions}", per_image=100),
    captions=_base_.prepare_captions,
)
# norm_eval keeps its statistics; its scale and shift are trained, as in the released code
backbone_bn = dict(type="BN", requires_grad=True)
model = dict(
    type="OpenVocabularyATSS",
    vocabulary="{vocabulary}",
    distillers=[
        dict(type="HierKDInstanceTerm", norm=2, loss_weight=0.05),
        dict(type="HierKDGlobalTerm", loss_weight=1.0),
    ],
    data_preprocessor=dict(_base_.data_preprocessor, pad_mask=False),
    backbone=dict(_base_.backbone, frozen_stages=1, norm_cfg=backbone_bn, norm_eval=True),
    neck=dict(
        type="FPN",
        in_channels=[256, 512, 1024, 2048],
        out_channels=256,
        start_level=1,
        add_extra_convs="on_output",
        num_outs=5,
    ),
    bbox_head=dict(
        type="OpenVocabularyATSSHead",
        num_classes=1,
        in_channels=256,
        feat_channels=256,
        stacked_convs=4,
        cls_predictor_cfg=dict(type="RegionWordHead", temperature=0.01, learn_temperature=True),
        anchor_generator=dict(
            type="AnchorGenerator",
            ratios=[1.0],
            octave_base_scale=8,
            scales_per_octave=1,
            strides=[8, 16, 32, 64, 128],
        ),
        bbox_coder=dict(type="DeltaXYWHBBoxCoder", target_stds=(0.1, 0.1, 0.2, 0.2)),
        loss_cls=dict(type="DenseRegionWordLoss"),
        loss_bbox=dict(type="GIoULoss", loss_weight=2.0),
    ),
    train_cfg=dict(
        assigner=dict(type="ATSSAssigner", topk=9), allowed_border=-1, pos_weight=-1, debug=False
    ),
    test_cfg=dict(
        nms_pre=1000,
        min_bbox_size=0,
        score_thr=0.0,
        nms=dict(type="nms", iou_threshold=0.4),
        max_per_img=100,
    ),
)

load_regions = [dict(type="LoadTeacherRegions", store="{regions}", max_regions=100)]
train_pipeline = [
    *_base_.load,
    *load_regions,
    *_base_.load_caption,
    *_base_.augment,
    *_base_.pack,
]
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader

# 12 epochs of 107,761 images in batches of 64
train_cfg = dict(type="IterBasedTrainLoop", max_iters=20205, val_interval=20205)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=0.01, momentum=0.9, weight_decay=1e-4),
    clip_grad=dict(max_norm=10),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type="MultiStepLR", by_epoch=False, milestones=[13470, 18521], gamma=0.1),
]
auto_scale_lr = dict(enable=False, base_batch_size=64)
