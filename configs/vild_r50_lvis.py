"""ViLD on OV-LVIS with the published recipe: ResNet-50 FPN, masks, teacher CLIP ViT-B/32.

Command (64 GPUs of 4 images make the published batch of 256; with fewer, add --auto-scale-lr):

    torchrun --nnodes 8 --nproc_per_node 8 -m ovdistill train vild_r50_lvis \
        --launcher pytorch --amp
    ovdistill test vild_r50_lvis work_dirs/vild_r50_lvis/last.pth

Before it, once (on fewer GPUs see rpn_r50_lvis.py):

    torchrun --nproc_per_node 8 -m ovdistill train rpn_r50_lvis --launcher pytorch

The first command embeds the class names and the regions where they are missing, and says what it
cannot make. Images without a base box are kept: their regions are distilled.

--auto-scale-lr changes the learning rate and not the number of iterations: for as many images,
multiply train_cfg.max_iters and the milestones by what the batch is smaller. 8 GPUs, or one, can
afford vild_star_r50_lvis.py, a nineteenth of the images. vild_rfs_r50_lvis.py repeats images of
infrequent base classes.

Cost: 180,000 iterations of batch 256 (460 epochs); not measured here.
Expected: mask AP novel/common/frequent/all 16.1/20.0/28.3/22.5 (the paper), 16.6/19.8/28.2/22.5
(its released checkpoint). Not reproduced here yet.

Known differences from the released TPU code, where mmdet's own parts are kept: RoIAlign and level
assignment; level 6 of the pyramid (see _base_/r50.py); box losses divided by all sampled anchors
and RoIs, there by the coordinates of positives (the same in the head if a quarter of the RoIs are
positive), and in the RPN on each level alone, with a Huber loss that is a ninth of smooth L1.
On purpose: novel classes at -inf in the softmax instead of at zero, so that the text of a class
that may not be known counts nowhere; ImageNet initialisation, since the release names none.
Text embeddings average 63 templates and the synonyms of each name, as the release's file says by
its name; how it averages them is not published, here every prompt of every synonym counts alike.
The teacher sees squares of a box's longer side at 1x and 1.5x: how ViLD resizes its crops is not
published, and a square shows the whole object undistorted.
"""

_base_ = ["_base_/distill_r50_lvis.py"]

model = dict(distillers=[dict(type="ViLDTerm", loss_weight=0.5)])
