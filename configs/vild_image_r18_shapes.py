"""ViLD-image on OVShapes: the teacher alone trains the embedding, text only names it.

Command:

    ovdistill train vild_image_r18_shapes
    ovdistill test vild_image_r18_shapes work_dirs/vild_image_r18_shapes/last.pth

Result (split shape, geometry plain, test images, three seeds):
box AP base 60.6 +- 0.5, novel 40.8 +- 0.5;
mask AP 57.9 +- 0.7, 45.1 +- 0.8.
"""

_base_ = ["vild_r18_shapes.py"]

model = dict(
    roi_head=dict(
        bbox_head=dict(
            cls_predictor_cfg=dict(background=False),
            loss_cls=dict(loss_weight=0.0),
        )
    )
)
