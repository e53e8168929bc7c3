"""Vouch, ovdistill's own term, on OVShapes: objects that nobody labelled are objects.

Command:

    ovdistill train vouch_r18_shapes
    ovdistill test vouch_r18_shapes work_dirs/vouch_r18_shapes/last.pth

Result (split shape, geometry plain, test images, three seeds):
box AP base 72.3 +- 0.1, novel 52.5 +- 2.3;
mask AP 68.1 +- 0.2, 56.5 +- 1.2.
"""

_base_ = ["_base_/distill_r18_shapes.py"]

model = dict(distillers=[dict(type="VouchTerm", image_weight=0.5)])
