"""A two-stage detector on OVShapes that learns from the teacher's regions.

Whoever takes it says which distillation terms: ``model = dict(distillers=[...])``. It starts from
the weights of the proposal network.
"""

_base_ = [
    "runtime.py",
    "shapes_data.py",
    "shapes_eval.py",
    "shapes_schedule.py",
    "r18_shapes.py",
]

prepare = dict(proposals=_base_.prepare_proposals, regions=_base_.prepare_regions)
load_from = "{proposals}"
model = _base_.open_vocabulary_rcnn
train_pipeline = [*_base_.load, *_base_.load_regions, *_base_.augment, *_base_.pack]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
