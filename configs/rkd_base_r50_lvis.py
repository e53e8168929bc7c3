"""RKD on OV-LVIS, the first of three stages: the base detector, a sigmoid for each class.

Command (8 GPUs of 2 images make the published batch of 16; with fewer, add --auto-scale-lr):

    torchrun --nproc_per_node 8 -m ovdistill train rkd_base_r50_lvis --launcher pytorch --amp
    ovdistill test rkd_base_r50_lvis work_dirs/rkd_base_r50_lvis/last.pth

It needs no regions and no proposal network.

Cost: 90,000 iterations of batch 16, 4.5 hours on 8 A100 (README of the released code); not measured
here.
Expected: mask AP novel/common/frequent/all 12.2/19.4/26.4/20.9 (the same). Not reproduced here.

Known differences from the released code: the box branch ends in one linear layer, not two, as in
mmdet's heads; torchvision's ImageNet weights, which mmengine fetches by name.
Equal to it: one template, names as LVIS spells them, with underscores and parentheses.
"""

_base_ = [
    "_base_/runtime.py",
    "_base_/clip_b32.py",
    "_base_/lvis_data.py",
    "_base_/lvis_eval.py",
    "_base_/pipeline_1333.py",
    "_base_/r50.py",
    "_base_/schedule_rkd.py",
]

vocabulary = "{cache}/vocabulary_rkd.safetensors"
prepare = dict(vocabulary=dict(templates=["a photo of a {raw}"], synonyms=False))
region_word_head = dict(
    type="RegionWordHead", temperature=0.02, background=False, score="sigmoid", prior_bias=-4.6
)
frozen_bn = dict(type="BN", requires_grad=False)
detector = _base_.open_vocabulary_rcnn
model = dict(
    detector,
    backbone=dict(_base_.backbone, frozen_stages=1, norm_cfg=frozen_bn, norm_eval=True),
    neck=dict(_base_.neck, norm_cfg=None, add_extra_convs=False),
    # smooth L1 with beta 0 in the RPN and in the box head, as released
    rpn_head=dict(_base_.plain_rpn_head, loss_bbox=dict(type="L1Loss")),
    roi_head=dict(
        detector.roi_head,
        bbox_head=dict(
            type="Shared2FCBBoxHead",
            in_channels=256,
            fc_out_channels=1024,
            roi_feat_size=7,
            reg_class_agnostic=True,
            cls_predictor_cfg=region_word_head,
            # 50 class names a batch, drawn by the square root of their training images
            loss_cls=dict(type="SigmoidRegionWordLoss", federated=50),
            loss_bbox=dict(type="L1Loss"),
        ),
        mask_head=dict(detector.roi_head.mask_head, type="FCNMaskHead", norm_cfg=None),
    ),
)

load = _base_.load_masks
augment = [
    dict(
        type="RandomResize",
        resize_type="OVResize",
        scale=[(1333, 640), (1333, 800)],
        keep_ratio=True,
    ),
    dict(type="RandomFlip", prob=0.5),
]
train_pipeline = [*load, *augment, *_base_.pack]
train_dataloader = dict(
    batch_size=2,
    dataset=dict(
        _delete_=True,
        type="ClassBalancedDataset",  # repeats images by the counts of base classes
        oversample_thr=1e-3,
        dataset=dict(_base_.train_dataloader.dataset, pipeline=train_pipeline),
    ),
)
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
