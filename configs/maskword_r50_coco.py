"""Mask-word on COCO: the masks of a ViLD detector are named by it and by the dense teacher.

Command (first the proposal network, once, and the detector, see vild_r50_coco.py for the batch;
then the pixel head on its pyramid, 8 GPUs of 2 images):

    torchrun --nproc_per_node 8 -m ovdistill train rpn_r50_coco --launcher pytorch
    torchrun --nproc_per_node 8 -m ovdistill train vild_r50_coco \
        --launcher pytorch --amp --auto-scale-lr
    torchrun --nproc_per_node 8 -m ovdistill train maskword_r50_coco \
        --launcher pytorch --amp
    ovdistill test maskword_r50_coco work_dirs/maskword_r50_coco/last.pth

On ADE20K: transfer_ade20k.py. The label maps are COCO's panoptic ones, 133 classes, all of them
base: annotations/panoptic_{train,val}2017.json, and the images of their maps in annotations/. The
teacher is given names that a text can use, those of `--names coco-panoptic`: "sky" for COCO's
"sky-other-merged", "floor wood" for its "floor-wood". `stuff` is spelled alike.

Cost: 20,000 iterations of batch 16, of the pixel head alone; not measured here.

After FC-CLIP, with these differences: the masks are those of the project's own detector in place of
Mask2Former's queries; backbone and pyramid are the detector's, not the frozen image tower of CLIP
itself, which here judges the masks beside it; the pixels of no mask are named by the pixel head.
"""

_base_ = ["_base_/segment_r50.py"]

# fmt: off
stuff = [
    "banner", "blanket", "bridge", "cardboard", "counter", "curtain", "door", "floor wood",
    "flower", "fruit", "gravel", "house", "light", "mirror", "net", "pillow", "platform",
    "playingfield", "railroad", "river", "road", "roof", "sand", "sea", "shelf", "snow", "stairs",
    "tent", "towel", "wall brick", "wall stone", "wall tile", "wall wood", "water", "window blind",
    "window", "tree", "fence", "ceiling", "sky", "cabinet", "table", "floor", "pavement",
    "mountain", "grass", "dirt", "paper", "food", "building", "rock", "wall", "rug",
]
# fmt: on

data_root = "data/coco"
vocabulary = "{data_root}/vocabulary_panoptic.safetensors"
detector = "work_dirs/vild_r50_coco/last.pth"
prepare = dict(
    vocabulary=dict(
        path="{vocabulary}",
        names="coco-panoptic",
        split=[],
        templates="vild63",
    )
)
model = dict(
    type="MaskWordSegmentor",
    vocabulary="{vocabulary}",
    detector=dict(
        _base_.open_vocabulary_rcnn,
        init_cfg=dict(type="Pretrained", checkpoint="{detector}"),
    ),
    pixel_head=_base_.pixel_head,
    distillers=[dict(type="PixelWordTerm")],
    stuff=stuff,
    # as in Panoptic FPN's recipe of mmdet
    least_score=0.6,
    least_area=4096,
    teacher_share=(0.4, 0.8),
    data_preprocessor=_base_.data_preprocessor,
)
custom_hooks = [dict(type="BuildDenseTeacher")]

panoptic_pipeline = [
    *_base_.test_load,
    dict(type="LoadLabelMap", with_segments=True),
    *_base_.test_pack,
]
val_evaluator = [dict(type="SegmentationMetric"), dict(type="PanopticMetric")]
test_evaluator = val_evaluator

train_dataloader = dict(
    **_base_.train_loader,
    dataset=dict(
        type="PanopticDataset",
        vocabulary="{vocabulary}",
        labelled="all",
        data_root="{data_root}",
        ann_file="annotations/panoptic_train2017.json",
        data_prefix=dict(img_path="train2017/", seg_map_path="annotations/panoptic_train2017/"),
        pipeline=_base_.train_pipeline,
    ),
)
val_dataloader = dict(
    **_base_.test_loader,
    dataset=dict(
        type="PanopticDataset",
        vocabulary="{vocabulary}",
        data_root="{data_root}",
        ann_file="annotations/panoptic_val2017.json",
        data_prefix=dict(img_path="val2017/", seg_map_path="annotations/panoptic_val2017/"),
        pipeline=panoptic_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader
