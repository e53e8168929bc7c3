"""Vouch, ovdistill's own term, on OVShapes: objects that nobody labelled are objects.

Command:

    ovdistill train vouch_r18_shapes
    ovdistill test vouch_r18_shapes work_dirs/vouch_r18_shapes/last.pth

Result (split shape, geometry clip, val images, seed 0): box AP base 71.5, novel 43.4;
mask AP 68.1, 47.2.
"""

_base_ = ["_base_/distill_r18_shapes.py"]

model = dict(distillers=[dict(type="VouchTerm", image_weight=0.5)])
