"""ViLD on OVShapes with a focal sigmoid for each class name in place of the softmax (DetCLIP).

Command:

    ovdistill train focal_r18_shapes
    ovdistill test focal_r18_shapes work_dirs/focal_r18_shapes/last.pth

Each class name is embedded by itself and pooled to one embedding (DetCLIP's parallel formulation),
where token_r18_shapes.py has a sigmoid for each token (GLIP).

Cost: as vild_r18_shapes.py. Result (split shape, geometry clip, test images, one seed):
box AP base 72.6, novel 45.3; mask AP 69.9, 48.1.

Known differences from DetCLIP: its detector is one-stage (ATSS) and learns from captions and image
labels too; its names come with definitions and with negatives of a dictionary; its text tower is
trained.
"""

_base_ = ["vild_r18_shapes.py"]

model = dict(
    roi_head=dict(
        bbox_head=dict(
            cls_predictor_cfg=dict(background=False, score="sigmoid", prior_bias=-4.6),
            loss_cls=dict(_delete_=True, type="FocalRegionWordLoss"),
        )
    )
)
