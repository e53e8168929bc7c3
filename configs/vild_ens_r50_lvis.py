"""ViLD-ensemble on OV-LVIS: a second head learns from the teacher alone.

Command (see vild_r50_lvis.py for the batch, and for what to run before):

    torchrun --nnodes 8 --nproc_per_node 8 -m ovdistill train vild_ens_r50_lvis \
        --launcher pytorch --amp
    ovdistill test vild_ens_r50_lvis work_dirs/vild_ens_r50_lvis/last.pth

The second head is a copy of the first (4 convolutions, 2 layers, its own map to the embedding)
without a background; the two share nothing but the pooled features. At test time a base class
scores p_text^(2/3) p_image^(1/3), a novel class p_text^(1/3) p_image^(2/3).

Cost: 180,000 iterations of batch 256 (460 epochs); not measured here.
Expected: mask AP novel/common/frequent/all 16.6/24.6/30.3/25.5 (the paper), 18.0/24.7/30.6/25.9
(its released checkpoint). Not reproduced here.

Known differences from the released TPU code: see vild_r50_lvis.py.
"""

_base_ = ["vild_r50_lvis.py"]

model = dict(roi_head=dict(image_head=_base_.image_head))
