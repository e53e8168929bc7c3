"""A detector trained on LVIS, on Objects365 v1 val: all 365 classes, without training on it.

Command (CHECKPOINT is one of vild_ens_r50_lvis.py):

    ovdistill test transfer_objects365 CHECKPOINT

A detector with one head (vild_r50_lvis.py, vild_rfs_, vild_text_, vouch_, ovdistill_r50_lvis.py):

    ovdistill test transfer_objects365 CHECKPOINT \
        --cfg-options model.roi_head.image_head=None

It reads annotations in COCO's format, as Objects365 publishes them, and the images: under
data_root annotations/objects365_val.json and val/; elsewhere with --cfg-options val_ann=FILE
val_images=DIR/. Every class counts alike: the ensemble has one share (0.6 of the text head, as in
DetPro), and no AP of novel classes exists. Score threshold and number of detections an image are
DetPro's; COCO's AP counts the best 100 of each class.

Cost: not measured here.
Expected: box AP 11.8 (README of ViLD's released code), AP50 18.2 (RKD's paper on ViLD); not
verified: whether ViLD or its ensemble, and with which shares. Not reproduced here.

Known differences from ViLD's released code: see vild_r50_lvis.py. Names have no synonyms here.
"""

_base_ = ["_base_/transfer.py"]

data_root = "data/objects365"
val_ann = "annotations/objects365_val.json"
val_images = "val/"
cache = "data/objects365"
model = dict(test_cfg=dict(rcnn=dict(score_thr=0.003, max_per_img=300)))
