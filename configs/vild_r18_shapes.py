"""ViLD on OVShapes, the embedded benchmark: boxes and masks of 65 classes, 15-17 of them novel.

Command:

    ovdistill train vild_r18_shapes
    ovdistill test vild_r18_shapes work_dirs/vild_r18_shapes/last.pth

The other split: `--cfg-options split=compositional` to both.

Cost: 1000 iterations, about 5 minutes on two CPU cores (preparation about 2 more, once).
Result (split shape, geometry clip, test images, three seeds):
box AP base 76.4 +- 0.3, novel 41.1 +- 0.4;
mask AP 72.3 +- 0.1, 41.9 +- 0.7.
"""

_base_ = ["_base_/distill_r18_shapes.py"]

model = dict(distillers=[dict(type="ViLDTerm", loss_weight=0.5)])
