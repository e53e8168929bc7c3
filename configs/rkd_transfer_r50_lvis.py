"""RKD on OV-LVIS, the last of three stages: pseudo labels from captions, and weight transfer.

Command (see rkd_base_r50_lvis.py and rkd_r50_lvis.py, the stages before):

    torchrun --nproc_per_node 8 -m ovdistill train rkd_transfer_r50_lvis \
        --launcher pytorch --amp
    ovdistill test rkd_transfer_r50_lvis work_dirs/rkd_transfer_r50_lvis/last.pth

Beside LVIS's files it reads COCO's annotations/captions_train2017.json: the images are the same.
The captions name novel objects.

Cost: 90,000 iterations of batch 16, 5 hours on 8 A100 (README of the released code); not measured
here.
Expected: mask AP novel/common/frequent/all 17.1/21.4/26.7/22.8 (the same), with 1.4 million
images of ImageNet for the pseudo labels. Ours come from the captions of the detection images
themselves, so the figure is for orientation. Not reproduced here.

Other known differences from the released code: see rkd_r50_lvis.py.
"""

_base_ = ["rkd_r50_lvis.py"]

load_from = "work_dirs/rkd_r50_lvis/last.pth"
prepare = dict(captions=_base_.prepare_captions)
model = dict(
    roi_head=dict(
        bbox_head=dict(
            cls_predictor_cfg=dict(_base_.region_word_head, type="WeightTransferHead", hidden=512)
        )
    ),
    distillers=[*_base_.model.distillers, dict(type="RKDPseudoLabelTerm", loss_weight=0.1)],
)
train_pipeline = [
    *_base_.load,
    *_base_.load_regions,
    *_base_.load_caption,
    *_base_.augment,
    *_base_.pack,
]
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))
