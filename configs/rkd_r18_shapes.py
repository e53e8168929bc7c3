"""RKD's point-wise and relation distillation on OVShapes.

Command:

    python tools/train.py configs/rkd_r18_shapes.py
    python tools/test.py configs/rkd_r18_shapes.py work_dirs/rkd_r18_shapes/last.pth

Point-wise alone: `--cfg-options model.distillers.0.relation_weight=0`.
"""

_base_ = ["vild_r18_shapes.py"]

model = dict(
    distillers=[dict(type="RKDTerm", preset="paper", point_weight=0.5, relation_weight=50.0)]
)
