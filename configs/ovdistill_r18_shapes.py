"""The combination that does best on OVShapes: Vouch with RKD's relations among regions.

Command:

    ovdistill train ovdistill_r18_shapes
    ovdistill test ovdistill_r18_shapes work_dirs/ovdistill_r18_shapes/last.pth

Result with Vouch in its earlier form (split shape, geometry plain, test images, three seeds):
box AP base 72.1 +- 0.1, novel 52.4 +- 3.4;
mask AP 68.1 +- 0.2, 56.5 +- 1.6.
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
