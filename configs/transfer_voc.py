"""A detector trained on LVIS, on PASCAL VOC 2007 test: all 20 classes, without training on VOC.

Command (CHECKPOINT is one of vild_ens_r50_lvis.py):

    ovdistill test transfer_voc CHECKPOINT

A detector with one head (vild_r50_lvis.py, vild_rfs_, vild_text_, vouch_, ovdistill_r50_lvis.py):

    ovdistill test transfer_voc CHECKPOINT \
        --cfg-options model.roi_head.image_head=None

It reads the images where VOC's archive has them, and annotations in COCO's format, made by

    ovdistill prepare-voc data/voc/VOCdevkit/VOC2007 --image-set test \
        -o data/voc/annotations/voc2007_test.json

Every class counts alike: the ensemble has one share (0.6 of the text head, as in DetPro), and no AP
of novel classes exists. Score threshold and number of detections are DetPro's. The figures are
COCO's AP, AP50 and AP75 on these boxes, not VOC's own 11-point average.

Cost: not measured here.
Expected: box AP50 72.2 (README of ViLD's released code); not verified: whether ViLD or its
ensemble, and with which shares. Not reproduced here.

Known differences from ViLD's released code: see vild_r50_lvis.py. Names have no synonyms here.
"""

_base_ = ["_base_/transfer.py"]

data_root = "data/voc"
val_ann = "annotations/voc2007_test.json"
val_images = "VOCdevkit/VOC2007/JPEGImages/"
cache = "data/voc"
model = dict(test_cfg=dict(rcnn=dict(score_thr=0.05, max_per_img=100)))
