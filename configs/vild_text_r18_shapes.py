"""ViLD-text on OVShapes: region-word alignment alone, nothing distilled. The baseline.

Command:

    ovdistill train vild_text_r18_shapes
    ovdistill test vild_text_r18_shapes work_dirs/vild_text_r18_shapes/last.pth

Cost: as ViLD's, less the regions.
Result (split shape, geometry clip, test images, three seeds):
box AP base 76.2 +- 0.5, novel 20.4 +- 1.1;
mask AP 71.9 +- 0.4, 20.3 +- 1.1.
They are of the row "text only": vild_r18_shapes with model.distillers.0.loss_weight=0, in which the
regions pass the head as well, so that all rows of the comparison cost the same.
"""

_base_ = [
    "_base_/runtime.py",
    "_base_/shapes_data.py",
    "_base_/shapes_eval.py",
    "_base_/shapes_schedule.py",
    "_base_/r18_shapes.py",
]

prepare = dict(proposals=_base_.prepare_proposals)
load_from = "{proposals}"
model = _base_.open_vocabulary_rcnn
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
