"""ViLD-text on OVShapes: region-word alignment alone, nothing distilled. The baseline.

Command:

    ovdistill train vild_text_r18_shapes
    ovdistill test vild_text_r18_shapes work_dirs/vild_text_r18_shapes/last.pth

Cost: as ViLD's, less the regions.
Result (split shape, geometry plain, test images, three seeds):
box AP base 72.7 +- 0.5, novel 15.2 +- 1.2;
mask AP 68.7 +- 0.5, 15.4 +- 1.3.
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
