"""Vouch with RKD's relations, on OV-LVIS: on OVShapes, they add nothing to Vouch alone.

Command (see vild_r50_lvis.py for the batch):

    torchrun --nnodes 8 --nproc_per_node 8 -m ovdistill train ovdistill_r50_lvis \
        --launcher pytorch --amp
    ovdistill test ovdistill_r50_lvis work_dirs/ovdistill_r50_lvis/last.pth

Before it, once (on fewer GPUs see proposals_r50_lvis.py, whose scores of unlabelled objects Vouch
needs, in place of rpn_r50_lvis):

    torchrun --nproc_per_node 8 -m ovdistill train proposals_r50_lvis --launcher pytorch

Cost and result: not measured here. The choice of the terms comes from OVShapes (docs/results).

Not a published recipe. Its detector, data and schedule are those of vild_r50_lvis.py.
"""

_base_ = ["_base_/distill_r50_lvis.py"]

proposals = "work_dirs/proposals_r50_lvis/last.pth"
regions = "{cache}/regions_proposals"
prepare = dict(proposals=dict(network="proposals_r50_lvis.py"))

model = dict(
    distillers=[
        dict(type="VouchTerm", image_weight=0.5),
        # the loss falls with the regions of a rank: 50 with 80 of them on OVShapes, 1200 here
        dict(type="RKDTerm", preset="paper", point_weight=0, relation_weight=750.0),
    ]
)
