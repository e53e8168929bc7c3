"""The oracle of segmentation on OVShapes: every class is labelled. An upper bound, no method.

Command:

    ovdistill train seg_oracle_r18_shapes
    ovdistill test seg_oracle_r18_shapes work_dirs/seg_oracle_r18_shapes/last.pth

Cost: 3000 iterations, about 12 minutes of one CPU core.
"""

_base_ = ["_base_/segment_r18_shapes.py"]

model = dict(distillers=[dict(type="PixelWordTerm", train_novel=True)])
train_dataloader = dict(dataset=dict(labelled="all"))
