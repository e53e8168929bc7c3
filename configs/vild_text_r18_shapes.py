"""ViLD-text on OVShapes: region-word alignment alone, nothing distilled. The baseline.

Command:

    python tools/train.py configs/vild_text_r18_shapes.py
    python tools/test.py configs/vild_text_r18_shapes.py work_dirs/vild_text_r18_shapes/last.pth

Cost: as ViLD's, less the regions.
Result (split shape, test images, three seeds): box AP base 72.7 +- 0.5, novel 15.2 +- 1.2;
mask AP 68.7 +- 0.5, 15.4 +- 1.3.
"""

_base_ = ["vild_r18_shapes.py"]

prepare = dict(regions=None)
model = dict(distillers=[])
train_pipeline = [step for step in _base_.train_pipeline if step["type"] != "LoadTeacherRegions"]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
