"""RKD on OV-COCO, the first of three stages: Faster R-CNN C4, a sigmoid for each class.

Command (8 GPUs of 2 images make the published batch of 16; with fewer, add --auto-scale-lr):

    torchrun --nproc_per_node 8 -m ovdistill train rkd_base_r50_coco --launcher pytorch --amp
    ovdistill test rkd_base_r50_coco work_dirs/rkd_base_r50_coco/last.pth

It needs no regions and no proposal network.

Cost: 90,000 iterations of batch 16, 8 hours on 8 A100 (README of the released code); not measured
here.
Expected: box AP50 novel/base/all 1.7/53.2/39.6 (the same). Not reproduced here.

Known differences from the released code: the box branch ends in one linear layer, not two, as in
mmdet's heads; torchvision's ImageNet weights, which mmengine fetches by name; the classifier holds
65 classes, not 80 of which 15 are masked, since a vocabulary has the classes that count.
"""

_base_ = [
    "_base_/runtime.py",
    "_base_/clip_b32.py",
    "_base_/coco_data.py",
    "_base_/coco_eval.py",
    "_base_/pipeline_1333.py",
    "_base_/r50.py",
    "_base_/schedule_rkd.py",
]

vocabulary = "{cache}/vocabulary_rkd.safetensors"
prepare = dict(vocabulary=dict(templates=["a photo of a {raw}"]))
frozen_bn = dict(type="BN", requires_grad=False)
region_word_head = dict(type="RegionWordHead", temperature=0.02, background=False, score="sigmoid")
model = dict(
    type="OpenVocabularyRCNN",
    vocabulary="{vocabulary}",
    distillers=[],
    data_preprocessor=dict(_base_.data_preprocessor, pad_mask=False),
    backbone=dict(
        _base_.backbone,
        num_stages=3,
        strides=(1, 2, 2),
        dilations=(1, 1, 1),
        out_indices=(2,),
        frozen_stages=1,
        norm_cfg=frozen_bn,
        norm_eval=True,
    ),
    rpn_head=dict(
        _base_.plain_rpn_head,
        in_channels=1024,
        feat_channels=1024,
        anchor_generator=dict(
            type="AnchorGenerator", scales=[2, 4, 8, 16, 32], ratios=[0.5, 1.0, 2.0], strides=[16]
        ),
        loss_bbox=dict(type="L1Loss"),  # smooth L1 with beta 0, as released
    ),
    roi_head=dict(
        type="OpenVocabularyRoIHead",
        # the fourth stage, on every region
        shared_head=dict(
            type="ResLayer",
            depth=50,
            stage=3,
            stride=2,
            norm_cfg=frozen_bn,
            norm_eval=True,
            init_cfg=_base_.backbone.init_cfg,
        ),
        bbox_roi_extractor=dict(
            type="SingleRoIExtractor",
            roi_layer=dict(type="RoIAlign", output_size=14, sampling_ratio=0),
            out_channels=1024,
            featmap_strides=[16],
        ),
        bbox_head=dict(
            type="BBoxHead",
            with_avg_pool=True,
            roi_feat_size=7,
            in_channels=2048,
            reg_class_agnostic=True,
            cls_predictor_cfg=region_word_head,
            loss_cls=dict(type="SigmoidRegionWordLoss"),
            loss_bbox=dict(type="L1Loss"),
        ),
    ),
    train_cfg=dict(
        rpn=_base_.rpn_train_cfg,
        rpn_proposal=dict(
            nms_pre=12000,
            max_per_img=2000,
            nms=dict(type="nms", iou_threshold=0.7),
            min_bbox_size=0,
        ),
        rcnn=_base_.rcnn_train_cfg,
    ),
    test_cfg=dict(
        rpn=dict(
            nms_pre=6000, max_per_img=1000, nms=dict(type="nms", iou_threshold=0.7), min_bbox_size=0
        ),
        rcnn=dict(
            score_thr=0.05,
            nms=dict(type="nms", iou_threshold=0.5),
            max_per_img=100,
        ),
    ),
)

train_dataloader = dict(batch_size=2, dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
