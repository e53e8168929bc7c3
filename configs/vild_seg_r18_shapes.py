"""ViLD for pixels on OVShapes: the mean embedding of a region's pixels is pulled to the teacher's.

Command:

    ovdistill train vild_seg_r18_shapes
    ovdistill test vild_seg_r18_shapes work_dirs/vild_seg_r18_shapes/last.pth

The term and the regions are those of the detectors: crops, which the teacher knows better than
dense positions. No novel name is known in training.

Cost: 3000 iterations, about 14 minutes of one CPU core, and the regions, once.
"""

_base_ = ["_base_/segment_r18_shapes.py"]

prepare = dict(regions=_base_.prepare_regions)
train_pipeline = [*_base_.load, *_base_.load_regions, *_base_.augment, *_base_.pack]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
model = dict(distillers=[dict(type="PixelWordTerm"), dict(type="ViLDTerm", loss_weight=0.5)])
