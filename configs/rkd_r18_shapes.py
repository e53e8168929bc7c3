"""RKD's point-wise and relation distillation on OVShapes.

Command:

    ovdistill train rkd_r18_shapes
    ovdistill test rkd_r18_shapes work_dirs/rkd_r18_shapes/last.pth

Point-wise alone: `--cfg-options model.distillers.0.relation_weight=0`.

Result (split shape, geometry plain, test images, three seeds):
box AP base 73.4 +- 0.6, novel 46.7 +- 2.0;
mask AP 69.2 +- 0.5, 51.4 +- 1.6.
"""

_base_ = ["_base_/distill_r18_shapes.py"]

model = dict(
    distillers=[dict(type="RKDTerm", preset="paper", point_weight=0.5, relation_weight=50.0)]
)
