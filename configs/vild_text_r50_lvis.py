"""ViLD-text on OV-LVIS: region-word alignment alone, nothing distilled. The baseline.

Command (see vild_r50_lvis.py for the batch):

    torchrun --nnodes 8 --nproc_per_node 8 tools/train.py configs/vild_text_r50_lvis.py \
        --launcher pytorch --amp
    python tools/test.py configs/vild_text_r50_lvis.py work_dirs/vild_text_r50_lvis/last.pth

It needs no regions and no proposal network. Without regions an image without a base box teaches
nothing: it is left out.

Cost: 180,000 iterations of batch 256; not measured here.
Expected: mask AP novel/common/frequent/all 10.1/23.9/32.5/24.9 (the paper). Not reproduced here.
"""

_base_ = ["vild_r50_lvis.py"]

prepare = dict(proposals=None, regions=None)
model = dict(distillers=[])
train_pipeline = [step for step in _base_.train_pipeline if step["type"] != "LoadTeacherRegions"]
train_dataloader = dict(
    dataset=dict(pipeline=train_pipeline, filter_cfg=dict(filter_empty_gt=True))
)
