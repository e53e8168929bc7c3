"""The network that proposes Vouch's distillation regions on OV-LVIS, from base boxes only.

Command (8 GPUs of 2 images make the batch of 16; with fewer, add --auto-scale-lr):

    torchrun --nproc_per_node 8 -m ovdistill train proposals_r50_lvis --launcher pytorch

Vouch trusts the score of a region: it tells how surely the region holds an object, labelled or
not. To the RPN that the other recipes keep (rpn_r50_lvis.py) an unlabelled object is a negative.
This network is the benchmark's (proposals_r18_shapes.py) in the size of R50: the boxes of such an
RPN are scored by a second stage, in which a RoI that no labelled object is near (IoU below 0.1)
is no negative.

Cost: next to the RPN, 3 % more multiply-adds in training (7 G of the heads on 512 RoIs; backbone,
FPN and RPN have 254 G on an image of 800 x 1344) and 5 % more to propose from 1000 RoIs: computed,
not measured. 14 million more weights, so 0.2 GB more for them, their gradients and momentum. Its
regions are a store of their own, to be extracted beside that of the other recipes.
Result: not measured on LVIS. On OVShapes (split shape, 300 val images), of the regions on no
labelled object that score 0.5 or more, 90 % are novel objects; with an RPN alone 38 %, with one
whose far anchors (IoU below 0.1) are no negatives 49 %.
"""

_base_ = [
    "_base_/runtime.py",
    "_base_/clip_b32.py",
    "_base_/lvis_data.py",
    "_base_/pipeline_1024.py",
    "_base_/proposals_r50.py",
]

train_dataloader = dict(
    batch_size=2, dataset=dict(class_agnostic=True, pipeline=_base_.rpn_pipeline)
)
