"""ViLD-ensemble on OVShapes: a second head learns from the teacher alone.

Command:

    ovdistill train vild_ensemble_r18_shapes
    ovdistill test vild_ensemble_r18_shapes \
        work_dirs/vild_ensemble_r18_shapes/last.pth

Result (split shape, geometry clip, test images, three seeds):
box AP base 77.2 +- 0.5, novel 41.1 +- 0.7;
mask AP 72.5 +- 0.4, 41.9 +- 0.5.
"""

_base_ = ["vild_r18_shapes.py"]

model = dict(
    roi_head=dict(
        image_head=dict(
            **_base_.embedding_layers,
            in_channels=48,
            roi_feat_size=7,
            num_classes=1,
            with_reg=False,
            cls_predictor_cfg=dict(_base_.region_word_head, background=False),
            loss_cls=dict(type="RegionWordLoss", loss_weight=0.0),
        )
    )
)
