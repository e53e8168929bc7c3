"""ViLD-text on OVShapes: region-word alignment alone, nothing distilled. The baseline.

Command:

    python tools/train.py configs/vild_text_r18_shapes.py
    python tools/test.py configs/vild_text_r18_shapes.py work_dirs/vild_text_r18_shapes/last.pth

Cost: as ViLD's, less the regions.
Result (split shape, test pictures, three seeds): box AP base 72.4 +- 0.6, novel 13.5 +- 1.7;
mask AP 68.2 +- 0.3, 13.7 +- 1.9.
"""

_base_ = ["vild_r18_shapes.py"]

prepare = dict(regions=None)
model = dict(distillers=[])
train_pipeline = [step for step in _base_.train_pipeline if step["type"] != "LoadTeacherRegions"]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
