"""HierKD's two levels in the two-stage detector with masks, on OV-LVIS.

Command (see vild_r50_lvis.py for the batch, and for what to run before):

    torchrun --nnodes 8 --nproc_per_node 8 tools/train.py configs/hierkd_r50_lvis.py \
        --launcher pytorch --amp
    python tools/test.py configs/hierkd_r50_lvis.py work_dirs/hierkd_r50_lvis/last.pth

Beside LVIS's files it reads COCO's annotations/captions_train2017.json: the images are the same.
The captions name novel objects.

Cost and result: not measured here; the paper has no LVIS.
"""

_base_ = ["vild_r50_lvis.py"]

prepare = dict(captions=dict(path="{captions}", annotations="{data_root}/{caption_ann}"))
model = dict(
    distillers=[
        # L1 in ViLD's unit and weight; HierKD's 0.05 of the L2 norm is for its sum of levels
        dict(type="HierKDInstanceTerm", norm=1, loss_weight=0.5),
        # phrases on regions, as on OVShapes; HierKDGlobalTerm(in_channels=256) is on the pyramid
        dict(type="HierKDRegionGlobalTerm", text="phrases", max_regions=300, loss_weight=0.3),
    ]
)
train_pipeline = [
    *_base_.train_pipeline[:3],
    dict(type="LoadTeacherCaption", store="{captions}"),
    *_base_.train_pipeline[3:],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
