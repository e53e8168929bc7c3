"""Vouch, ovdistill's own term, on OV-LVIS.

Command (see vild_r50_lvis.py for the batch):

    torchrun --nnodes 8 --nproc_per_node 8 -m ovdistill train vouch_r50_lvis \
        --launcher pytorch --amp
    ovdistill test vouch_r50_lvis work_dirs/vouch_r50_lvis/last.pth

Before it, once (on fewer GPUs see proposals_r50_lvis.py, whose scores of unlabelled objects Vouch
needs, in place of rpn_r50_lvis):

    torchrun --nproc_per_node 8 -m ovdistill train proposals_r50_lvis --launcher pytorch

Cost and result: not measured here.

Not a published recipe. Its detector, data and schedule are those of vild_r50_lvis.py.
"""

_base_ = ["_base_/distill_r50_lvis.py"]

proposals = "work_dirs/proposals_r50_lvis/last.pth"
regions = "{cache}/regions_proposals"
prepare = dict(proposals=dict(network="proposals_r50_lvis.py"))

model = dict(distillers=[dict(type="VouchTerm", image_weight=0.5)])
