"""MaskCLIP+ on COCO-Stuff 156/15: unlabelled pixels get names of the dense teacher, then its own.

Command (8 GPUs of 2 images make the published batch of 16; with others, add --auto-scale-lr):

    torchrun --nproc_per_node 8 -m ovdistill train maskclip_plus_r50_stuff \
        --launcher pytorch --amp
    ovdistill test maskclip_plus_r50_stuff work_dirs/maskclip_plus_r50_stuff/last.pth

The first command embeds the class names where they are missing. The unseen names, and which pixels
are of them, are known in training, as in the paper.

Cost: 80,000 iterations of batch 16; the teacher sees the images of the first 8,000. Not measured
here.
Expected: mIoU of the unseen classes 54.7 (the paper, with DeepLabv2-ResNet101). Not
reproduced here.

Differences from the released code: see maskclip_plus_r50_voc.py.
"""

_base_ = ["_base_/segment_stuff_data.py"]

teacher = dict(model="ViT-B-16-quickgelu", pretrained="openai")
model = dict(
    _base_.segmentor,
    distillers=[dict(type="PseudoLabelTerm", self_training_after=8000)],
)
custom_hooks = [dict(type="BuildDenseTeacher")]
train_cfg = dict(max_iters=80000, val_interval=20000)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=500),
    dict(type="PolyLR", power=0.9, by_epoch=False, begin=500, end=80000, eta_min=0),
]
