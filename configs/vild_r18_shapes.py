"""ViLD on OVShapes, the embedded benchmark: boxes and masks of 65 classes, 15-17 of them novel.

Command:

    ovdistill train vild_r18_shapes
    ovdistill test vild_r18_shapes work_dirs/vild_r18_shapes/last.pth

The other split: `--cfg-options split=compositional` to both.

Cost: 1000 iterations, about 4 minutes on two CPU cores (preparation about 2 more, once).
Result (split shape, geometry plain, test images, three seeds):
box AP base 73.9 +- 1.0, novel 43.3 +- 4.7;
mask AP 69.6 +- 0.6, 46.9 +- 5.0.
"""

_base_ = ["_base_/distill_r18_shapes.py"]

model = dict(distillers=[dict(type="ViLDTerm", loss_weight=0.5)])
