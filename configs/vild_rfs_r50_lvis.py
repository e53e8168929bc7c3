"""ViLD on OV-LVIS with repeat-factor sampling: images of infrequent base classes come more often.

Command (see vild_r50_lvis.py for the batch, and for what to run before):

    torchrun --nnodes 8 --nproc_per_node 8 -m ovdistill train vild_rfs_r50_lvis \
        --launcher pytorch --amp
    ovdistill test vild_rfs_r50_lvis work_dirs/vild_rfs_r50_lvis/last.pth

An image is repeated by its most infrequent base class; classes below 0.1 % of the images count.
Novel classes have no annotations in training, so they cannot move the factors. ViLD's released
configuration has no such sampling; DetPro, Detic, RKD, BARON and OADP have it, with this threshold.

Cost and result: not measured here.

Differences from published recipes: the sampling is the one difference from vild_r50_lvis.py, and
no publication has it with ViLD's schedule.
"""

_base_ = ["vild_r50_lvis.py"]

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type="ClassBalancedDataset",
        oversample_thr=1e-3,
        dataset=_base_.train_dataloader.dataset,
    )
)
