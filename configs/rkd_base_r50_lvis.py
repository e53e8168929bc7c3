"""RKD on OV-LVIS, the first of three stages: the base detector, a sigmoid for each word.

Command (8 GPUs of 2 images make the published batch of 16; with fewer, add --auto-scale-lr):

    torchrun --nproc_per_node 8 tools/train.py configs/rkd_base_r50_lvis.py --launcher pytorch --amp
    python tools/test.py configs/rkd_base_r50_lvis.py work_dirs/rkd_base_r50_lvis/last.pth

It needs no regions and no proposal network.

Cost: 90,000 iterations of batch 16, 4.5 hours on 8 A100 (README of the released code); not measured
here.
Expected: mask AP novel/common/frequent/all 12.2/19.4/26.4/20.9 (the same). Not reproduced here.

Known differences from the released code: the box branch ends in one linear layer, not two;
torchvision's ImageNet weights.
"""

_base_ = ["vild_text_r50_lvis.py"]

vocabulary = "{cache}/vocabulary_single.safetensors"
prepare = dict(vocabulary=dict(templates="single"))
region_word_head = dict(
    type="RegionWordHead", temperature=0.02, background=False, score="sigmoid", prior_bias=-4.6
)
frozen_bn = dict(_delete_=True, type="BN", requires_grad=False)
model = dict(
    backbone=dict(frozen_stages=1, norm_cfg=frozen_bn, norm_eval=True),
    neck=dict(norm_cfg=None),
    rpn_head=dict(num_convs=1),
    roi_head=dict(
        bbox_head=dict(
            _delete_=True,
            type="Shared2FCBBoxHead",
            in_channels=256,
            fc_out_channels=1024,
            roi_feat_size=7,
            reg_class_agnostic=True,
            cls_predictor_cfg=region_word_head,
            # 50 words a batch, drawn by the square root of their training images
            loss_cls=dict(type="SigmoidRegionWordLoss", federated=50),
            loss_bbox=dict(type="SmoothL1Loss", beta=1.0),
        ),
        mask_head=dict(norm_cfg=None),
    ),
)

train_pipeline = [
    dict(type="LoadImage"),
    dict(type="LoadAnnotations", with_bbox=True, with_mask=True),
    dict(type="RandomResize", scale=[(1333, 640), (1333, 800)], keep_ratio=True),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackOVInputs"),
]
test_pipeline = [
    dict(step, scale=(1333, 800)) if step["type"] == "Resize" else step
    for step in _base_.test_pipeline
]
train_dataloader = dict(
    batch_size=2,
    dataset=dict(
        _delete_=True,
        type="ClassBalancedDataset",  # repeats images by the counts of base words
        oversample_thr=1e-3,
        dataset=dict(_base_.train_dataloader.dataset, pipeline=train_pipeline),
    ),
)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader

train_cfg = dict(type="IterBasedTrainLoop", max_iters=90000, val_interval=30000)
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="SGD", lr=0.02, momentum=0.9, weight_decay=1e-4),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.001, by_epoch=False, begin=0, end=1000),
    dict(type="MultiStepLR", by_epoch=False, milestones=[60000, 80000], gamma=0.1),
]
auto_scale_lr = dict(enable=False, base_batch_size=16)
