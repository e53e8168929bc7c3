"""RKD with pseudo image-level labels from captions, on OVShapes.

Command:

    python tools/train.py configs/rkd_pseudo_r18_shapes.py
    python tools/test.py configs/rkd_pseudo_r18_shapes.py work_dirs/rkd_pseudo_r18_shapes/last.pth

The captions name novel objects.

Result (split shape, test images, three seeds): box AP base 73.8 +- 0.3, novel 44.7 +- 3.2;
mask AP 69.6 +- 0.2, 49.1 +- 2.4.
"""

_base_ = ["rkd_r18_shapes.py"]

prepare = dict(
    captions=dict(path="{captions}", annotations="{data_root}/annotations/captions_train.json")
)
model = dict(
    distillers=[*_base_.model.distillers, dict(type="RKDPseudoLabelTerm", loss_weight=0.01)]
)
train_pipeline = [
    *_base_.train_pipeline[:3],
    dict(type="LoadTeacherCaption", store="{captions}"),
    *_base_.train_pipeline[3:],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
