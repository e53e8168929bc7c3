"""Vouch, ovdistill's own term, on OVShapes: objects that nobody labelled are objects.

Command:

    ovdistill train vouch_r18_shapes
    ovdistill test vouch_r18_shapes work_dirs/vouch_r18_shapes/last.pth

Result (split shape, geometry clip, test images, three seeds):
box AP base 76.9 +- 0.3, novel 56.6 +- 0.2;
mask AP 72.7 +- 0.1, 59.7 +- 0.4.
"""

_base_ = ["_base_/distill_r18_shapes.py"]

model = dict(distillers=[dict(type="VouchTerm", image_weight=0.5)])
