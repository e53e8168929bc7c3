"""RKD's point-wise and relation distillation on OVShapes.

Command:

    ovdistill train rkd_r18_shapes
    ovdistill test rkd_r18_shapes work_dirs/rkd_r18_shapes/last.pth

Point-wise alone: `--cfg-options model.distillers.0.relation_weight=0`.

Result (split shape, geometry clip, test images, three seeds):
box AP base 76.7 +- 0.2, novel 40.0 +- 1.0;
mask AP 72.4 +- 0.1, 40.6 +- 1.2.
"""

_base_ = ["_base_/distill_r18_shapes.py"]

model = dict(
    distillers=[dict(type="RKDTerm", preset="paper", point_weight=0.5, relation_weight=50.0)]
)
