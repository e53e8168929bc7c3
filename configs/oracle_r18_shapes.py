"""The oracle on OVShapes: the same detector with every class labelled; what labels are worth.

It bounds detectors that are trained as long; best_r18_shapes is trained for 2.5 times as long.

Command:

    ovdistill train oracle_r18_shapes
    ovdistill test oracle_r18_shapes work_dirs/oracle_r18_shapes/last.pth

Result (split shape, geometry clip, test images, three seeds):
box AP base 77.1 +- 0.8, novel 70.9 +- 1.0;
mask AP 73.0 +- 0.7, 67.6 +- 1.0.
"""

_base_ = ["_base_/distill_r18_shapes.py"]

model = dict(
    # the regions pass the head as in the other methods, for the same compute
    distillers=[dict(type="ViLDTerm", loss_weight=0.0)],
    roi_head=dict(
        bbox_head=dict(cls_predictor_cfg=dict(_base_.region_word_head, train_novel=True))
    ),
)
train_dataloader = dict(dataset=dict(labelled="all"))
