"""Vouch, ovdistill's own term, on OVShapes: objects that nobody labelled are objects.

Command:

    python tools/train.py configs/vouch_r18_shapes.py
    python tools/test.py configs/vouch_r18_shapes.py work_dirs/vouch_r18_shapes/last.pth
"""

_base_ = ["vild_r18_shapes.py"]

model = dict(distillers=[dict(type="VouchTerm", image_weight=0.5)])
