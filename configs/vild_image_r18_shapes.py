"""ViLD-image on OVShapes: the teacher alone trains the embedding, text only names it.

Command:

    ovdistill train vild_image_r18_shapes
    ovdistill test vild_image_r18_shapes work_dirs/vild_image_r18_shapes/last.pth

Result (split shape, geometry clip, test images, three seeds):
box AP base 73.7 +- 1.0, novel 56.0 +- 0.8;
mask AP 70.8 +- 0.2, 59.3 +- 0.4.
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
