"""A detector trained on LVIS, on COCO val: all 80 classes, without training on COCO.

Command (CHECKPOINT is one of vild_ens_r50_lvis.py):

    ovdistill test transfer_coco CHECKPOINT

A detector with one head (vild_r50_lvis.py, vild_rfs_, vild_text_, vouch_, ovdistill_r50_lvis.py):

    ovdistill test transfer_coco CHECKPOINT \
        --cfg-options model.roi_head.image_head=None

It reads annotations/instances_val2017.json and val2017/ under data_root. Every class counts alike:
the ensemble has one share (0.6 of the text head, as in DetPro), and no AP of novel classes exists.

Cost: not measured here.
Expected: box AP 36.6 (README of ViLD's released code), AP50 55.6 (RKD's paper on ViLD); not
verified: whether ViLD or its ensemble, and with which shares. Not reproduced here.

Known differences from ViLD's released code: see vild_r50_lvis.py. Names have no synonyms here.
"""

_base_ = ["_base_/transfer.py"]

data_root = "data/coco"
val_ann = "annotations/instances_val2017.json"
val_images = "val2017/"
cache = "data/coco"
model = dict(test_cfg=dict(rcnn=dict(score_thr=1e-4, max_per_img=100)))
