"""HierKD's two levels in the two-stage detector with masks, on OV-LVIS.

Command (see vild_r50_lvis.py for the batch, and for what to run before):

    torchrun --nnodes 8 --nproc_per_node 8 -m ovdistill train hierkd_r50_lvis \
        --launcher pytorch --amp
    ovdistill test hierkd_r50_lvis work_dirs/hierkd_r50_lvis/last.pth

Beside LVIS's files it reads COCO's annotations/captions_train2017.json: the images are the same.
The captions name novel objects.

Cost and result: not measured here; the paper has no LVIS.

Differences from the paper: the two-stage detector, data and schedule of vild_r50_lvis.py, because
one detector for all methods is what compares them; so regions of an RPN, squares at 1x and 1.5x, in
place of padded crops of predicted boxes. hierkd_r50_coco.py is the paper's own detector.
"""

_base_ = ["_base_/distill_r50_lvis.py"]

prepare = dict(captions=_base_.prepare_captions)
model = dict(
    distillers=[
        # L1 in ViLD's unit and weight; HierKD's own 0.05 is of the L2 norm, in a one-stage detector
        dict(type="HierKDInstanceTerm", norm=1, loss_weight=0.5),
        # phrases on regions, as on OVShapes; HierKDGlobalTerm(in_channels=256) is on the pyramid
        dict(type="HierKDRegionGlobalTerm", text="phrases", max_regions=300, loss_weight=0.3),
    ]
)
train_pipeline = [
    *_base_.load,
    *_base_.load_regions,
    *_base_.load_caption,
    *_base_.augment,
    *_base_.pack,
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
