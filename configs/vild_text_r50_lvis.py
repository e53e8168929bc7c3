"""ViLD-text on OV-LVIS: region-word alignment alone, nothing distilled. The baseline.

Command (see vild_r50_lvis.py for the batch):

    torchrun --nnodes 8 --nproc_per_node 8 -m ovdistill train vild_text_r50_lvis \
        --launcher pytorch --amp
    ovdistill test vild_text_r50_lvis work_dirs/vild_text_r50_lvis/last.pth

It needs no regions and no proposal network. Without regions an image without a base box teaches
nothing: it is left out.

Cost: 180,000 iterations of batch 256; not measured here.
Expected: mask AP novel/common/frequent/all 10.1/23.9/32.5/24.9 (the paper). Not reproduced here.

Known differences from the released TPU code: see vild_r50_lvis.py.
"""

_base_ = [
    "_base_/runtime.py",
    "_base_/clip_b32.py",
    "_base_/lvis_data.py",
    "_base_/lvis_eval.py",
    "_base_/pipeline_1024.py",
    "_base_/r50.py",
    "_base_/schedule_vild.py",
]

model = _base_.open_vocabulary_rcnn
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
