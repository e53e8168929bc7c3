"""RKD with pseudo image-level labels from captions, on OVShapes.

Command:

    ovdistill train rkd_pseudo_r18_shapes
    ovdistill test rkd_pseudo_r18_shapes work_dirs/rkd_pseudo_r18_shapes/last.pth

The captions name novel objects.

Result (split shape, geometry clip, test images, three seeds):
box AP base 76.6 +- 0.1, novel 36.7 +- 0.4;
mask AP 72.3 +- 0.1, 37.3 +- 0.7.
"""

_base_ = ["_base_/distill_r18_shapes.py"]

prepare = dict(captions=_base_.prepare_captions)
model = dict(
    distillers=[
        dict(type="RKDTerm", preset="paper", point_weight=0.5, relation_weight=50.0),
        # 0.1 in RKD; more pulls regions away from the teacher (distillation/rkd/README.md)
        dict(type="RKDPseudoLabelTerm", loss_weight=0.00125),
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
