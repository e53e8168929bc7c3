"""DetPro on OV-COCO: prompts learned from regions of base classes, and the detector of ViLD*.

Command (see vild_star_r50_lvis.py for one GPU, initial weights and memory):

    torchrun --nproc_per_node 8 -m ovdistill train detpro_r50_coco --launcher pytorch --amp
    ovdistill test detpro_r50_coco work_dirs/detpro_r50_coco/last.pth

Before it, once, on a GPU (see detpro_r50_lvis.py):

    torchrun --nproc_per_node 8 -m ovdistill train rpn_r50_coco --launcher pytorch
    ovdistill prepare vild_star_r50_coco
    ovdistill extract --config vild_star_r50_coco --proposals gt -o data/coco/regions_labelled
    ovdistill vocab learn --config vild_star_r50_coco \
        --store data/coco/regions_detpro data/coco/regions_labelled \
        -o data/coco/vocabulary_detpro.safetensors

Cost: that of vild_star_r50_coco.py; learning the prompts was not measured.
Expected: no published figure is known to us. Prompts learned on LVIS would not do here: LVIS's base
classes include novel ones of COCO.

Known differences: see vild_star_r50_coco.py and detpro_r50_lvis.py.
"""

_base_ = ["vild_star_r50_coco.py"]

vocabulary = "{cache}/vocabulary_detpro.safetensors"
prepare = dict(vocabulary=dict(learn_from="vild_star_r50_coco"))
