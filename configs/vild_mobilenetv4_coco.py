"""ViLD on OV-COCO with a student for a CPU: MobileNetV4 of timm, images of 320 pixels.

Command:

    ovdistill train vild_mobilenetv4_coco
    ovdistill test vild_mobilenetv4_coco work_dirs/vild_mobilenetv4_coco/last.pth

The first command trains the RPN and extracts the regions where they are missing. The detector
starts from the weights of the RPN. Any other backbone of timm: docs/own_student.md. For data of
your own: `ovdistill init-dataset ANN.json --base-config vild_mobilenetv4_coco`.

Cost, measured on real photos in batches of 8: a training step takes 0.13 s of one CPU core an image
(with ResNet-18 in place of MobileNetV4 0.27 s); so 50 hours of one core for the 88,000 iterations
of 16 images, and 28 for the RPN. The teacher's regions are extra: 50 an image at two scales, about
12 million crops for COCO.
Expected: no figure is known to us; not trained here.

Not a published recipe. Differences from ViLD's (vild_r50_coco.py): the backbone, its frozen stem
and statistics; no level of stride 4; FPN of 96 channels; one linear layer of 512 before the
embedding; a mask head of two convolutions of 64; group normalisation in place of batch
normalisation; 64 RoIs of an image; images of 240 to 320 pixels; AdamW.
"""

_base_ = [
    "_base_/runtime.py",
    "_base_/clip_b32.py",
    "_base_/coco_data.py",
    "_base_/coco_eval.py",
    "_base_/pipeline_320.py",
    "_base_/mobilenetv4.py",
    "_base_/schedule_small.py",
]

proposals = "work_dirs/rpn_mobilenetv4_coco/last.pth"
regions = "{cache}/regions_mobilenetv4"
prepare = dict(
    proposals=dict(network="rpn_mobilenetv4_coco.py", checkpoint="{proposals}", train=True),
    regions=dict(path="{regions}", per_image=50),
)
load_from = "{proposals}"
model = dict(_base_.small_rcnn, distillers=[dict(type="ViLDTerm", loss_weight=0.5)])

load_regions = [dict(type="LoadTeacherRegions", store="{regions}", max_regions=50)]
train_pipeline = [*_base_.load, *load_regions, *_base_.augment, *_base_.pack]
train_dataloader = dict(
    batch_size=16, dataset=dict(pipeline=train_pipeline, filter_cfg=dict(filter_empty_gt=False))
)
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
val_evaluator = [dict(_base_.val_instances, metrics=("bbox", "segm"))]
test_evaluator = val_evaluator
