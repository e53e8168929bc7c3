"""Mask-word on OVShapes: a detector's class-agnostic masks are named; a pixel head names the rest.

Command (first the detector, then the pixel head on its pyramid):

    ovdistill train best_r18_shapes
    ovdistill train maskword_r18_shapes
    ovdistill test maskword_r18_shapes work_dirs/maskword_r18_shapes/last.pth

The test has panoptic quality too: the masks are the instances, and the background is stuff.

Another checkpoint of that recipe: `--cfg-options detector=FILE`. No novel name is known in
training.

Cost: 600 iterations, about 2 minutes of one CPU core; the detector about 12 minutes of two.
Result (split shape, test images, 3 seeds): mIoU 75.3, of seen names 78.7, of unseen ones 63.6; PQ
79.1, of unseen names 72.1.
"""

_base_ = ["_base_/segment_r18_shapes.py"]

detector = "work_dirs/best_r18_shapes/last.pth"
load_from = None
box_head = _base_.open_vocabulary_rcnn.roi_head.bbox_head
model = dict(
    _delete_=True,
    type="MaskWordSegmentor",
    vocabulary="{vocabulary}",
    detector=dict(
        _base_.open_vocabulary_rcnn,
        init_cfg=dict(type="Pretrained", checkpoint="{detector}"),
        roi_head=dict(
            _base_.open_vocabulary_rcnn.roi_head,
            bbox_head=dict(
                box_head, cls_predictor_cfg=dict(_base_.region_word_head, temperature=0.07)
            ),
        ),
    ),
    pixel_head=_base_.pixel_head,
    stuff=["background"],
    distillers=[dict(type="PixelWordTerm")],
    channels_last=True,
    data_preprocessor=_base_.data_preprocessor,
)
panoptic_pipeline = [
    *_base_.test_load,
    dict(type="LoadLabelMap", with_segments=True),
    *_base_.test_pack,
]
val_dataloader = dict(dataset=dict(pipeline=panoptic_pipeline))
test_dataloader = dict(dataset=dict(pipeline=panoptic_pipeline))
val_evaluator = [dict(type="SegmentationMetric"), dict(type="PanopticMetric")]
test_evaluator = val_evaluator

train_cfg = dict(max_iters=600, val_interval=600)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type="CosineAnnealingLR", by_epoch=False, begin=50, end=600, eta_min=2e-5),
]
