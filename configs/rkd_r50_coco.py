"""RKD on OV-COCO, the second of three stages: points and relations of the teacher's regions.

Command (see rkd_base_r50_coco.py, the stage before, for the batch):

    torchrun --nproc_per_node 8 -m ovdistill train rkd_r50_coco --launcher pytorch --amp
    ovdistill test rkd_r50_coco work_dirs/rkd_r50_coco/last.pth

Before it, once, for the regions (on fewer GPUs see rpn_r50_coco.py):

    torchrun --nproc_per_node 8 -m ovdistill train rpn_r50_coco --launcher pytorch

Images without a base box are kept: their regions are distilled.

Cost: 90,000 iterations of batch 16, 8 hours on 8 A100 (README of the released code); not measured
here.
Expected: box AP50 novel/base/all 21.2/54.7/45.9 (the same). Not reproduced here.

Known differences from the released code: see rkd_r50_lvis.py; it leaves out images without a
base box.
"""

_base_ = ["rkd_base_r50_coco.py"]

load_from = "work_dirs/rkd_base_r50_coco/last.pth"
teacher = dict(crops=dict(_base_.clip_crops, scales=(1.0,)))
regions = "{cache}/regions_rkd"
prepare = dict(
    proposals=dict(
        network="rpn_r50_coco.py",
        checkpoint="{proposals}",
        options={"model.test_cfg.rpn.nms.iou_threshold": 0.5},
    ),
    regions=dict(path="{regions}", per_image=5),
)
model = dict(
    distillers=[
        dict(type="RKDTerm", preset="released", point_weight=0.15, relation_weight=0.15),
    ]
)
load_regions = [dict(type="LoadTeacherRegions", store="{regions}", max_regions=5)]
train_pipeline = [*_base_.load, *load_regions, *_base_.augment, *_base_.pack]
train_dataloader = dict(
    dataset=dict(pipeline=train_pipeline, filter_cfg=dict(filter_empty_gt=False))
)
