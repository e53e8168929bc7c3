"""RKD with pseudo labels and weight transfer on OVShapes: the last of its stages.

Command (the first stage is rkd_r18_shapes; for another checkpoint of it: --cfg-options
load_from=PATH):

    ovdistill train rkd_r18_shapes
    ovdistill train rkd_transfer_r18_shapes
    ovdistill test rkd_transfer_r18_shapes \
        work_dirs/rkd_transfer_r18_shapes/last.pth

The captions name novel objects.

Result (split shape, geometry clip, test images, three seeds):
box AP base 81.3 +- 0.3, novel 38.5 +- 1.6;
mask AP 77.8 +- 0.2, 38.6 +- 1.7.
"""

_base_ = ["rkd_pseudo_r18_shapes.py"]

load_from = "work_dirs/rkd_r18_shapes/last.pth"
transfer = dict(_base_.region_word_head, type="WeightTransferHead", hidden=128)
model = dict(roi_head=dict(bbox_head=dict(cls_predictor_cfg=transfer)))
