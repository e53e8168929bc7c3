"""Vouch with RKD's relations among regions, on OVShapes: they add nothing to Vouch alone.

Command:

    ovdistill train ovdistill_r18_shapes
    ovdistill test ovdistill_r18_shapes work_dirs/ovdistill_r18_shapes/last.pth

Result (split shape, geometry clip, test images, three seeds):
box AP base 76.7 +- 0.0, novel 57.2 +- 0.8;
mask AP 72.4 +- 0.2, 59.7 +- 1.1.
"""

_base_ = ["_base_/distill_r18_shapes.py"]

model = dict(
    distillers=[
        dict(type="VouchTerm", image_weight=0.5),
        # the points of RKD are Vouch's image loss; phrases of captions (RegionWordCaptionTerm) add
        # nothing to the relations on val
        dict(type="RKDTerm", preset="paper", point_weight=0, relation_weight=50.0),
    ]
)
