"""The combination that does best on OVShapes: Vouch, RKD's relations, phrases of captions.

Command:

    python tools/train.py configs/ovdistill_r18_shapes.py
    python tools/test.py configs/ovdistill_r18_shapes.py work_dirs/ovdistill_r18_shapes/last.pth

The captions name novel objects.
"""

_base_ = ["hierkd_r18_shapes.py"]

model = dict(
    distillers=[
        dict(type="VouchTerm", image_weight=0.5),
        dict(type="RKDTerm", preset="paper", point_weight=0, relation_weight=50.0),
        dict(type="RegionWordCaptionTerm", loss_weight=0.1),
    ]
)
