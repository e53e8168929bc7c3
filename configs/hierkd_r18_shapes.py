"""HierKD's two levels in the two-stage detector, on OVShapes.

Command:

    ovdistill train hierkd_r18_shapes
    ovdistill test hierkd_r18_shapes work_dirs/hierkd_r18_shapes/last.pth

The captions name novel objects, as COCO's do in HierKD's own training.

Result (split shape, geometry clip, test images, three seeds):
box AP base 76.0 +- 0.5, novel 32.5 +- 2.9;
mask AP 71.7 +- 0.3, 33.2 +- 3.3.
"""

_base_ = ["_base_/distill_r18_shapes.py"]

prepare = dict(captions=_base_.prepare_captions)
model = dict(
    distillers=[
        # L1 in ViLD's unit and weight; HierKD's own 0.05 is of the L2 norm, in a one-stage detector
        dict(type="HierKDInstanceTerm", norm=1, loss_weight=0.5),
        # phrases on regions; a caption on patches of the pyramid (HierKDGlobalTerm) does less here
        dict(type="HierKDRegionGlobalTerm", text="phrases", loss_weight=0.3),
    ]
)
train_pipeline = [
    *_base_.load,
    *_base_.load_regions,
    *_base_.load_caption,
    *_base_.augment,
    *_base_.pack,
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
