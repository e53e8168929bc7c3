"""The RPN of vild_mobilenetv4_coco.py, which proposes its distillation regions: base boxes only.

Command (vild_mobilenetv4_coco trains it by itself where it is missing):

    ovdistill train rpn_mobilenetv4_coco

Cost: 0.07 s of one CPU core an image, measured on real photos in batches of 8, so 28 hours of one
core for the 88,000 iterations of 16 images. Result: not measured.
"""

_base_ = [
    "_base_/runtime.py",
    "_base_/clip_b32.py",
    "_base_/coco_data.py",
    "_base_/pipeline_320.py",
    "_base_/mobilenetv4.py",
    "_base_/schedule_small.py",
]

model = _base_.small_rpn
train_pipeline = [*_base_.load_boxes, *_base_.augment, *_base_.pack]
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=train_pipeline))
train_cfg = dict(val_interval=88001)
