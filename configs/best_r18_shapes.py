"""The best trained detector on OVShapes, geometry 'clip': what closes the gap to the teacher.

Command:

    ovdistill train best_r18_shapes
    ovdistill test best_r18_shapes work_dirs/best_r18_shapes/last.pth

The other split: `--cfg-options split=compositional` to both.

Vouch, and beside it
- relations of regions to a queue of 2048 (RegionQueueTerm);
- a teacher without its gap: only the directions in which regions differ are kept
  (docs/geometry.md); the maps ship, `ovdistill store centre --variance 0.99` makes them;
- 2500 iterations.

Cost: about 12 minutes on two CPU cores, and the regions of the mapped teacher, once.
Result (split shape, geometry clip, test images, three seeds):
box AP base 83.2 +- 0.3, novel 66.9 +- 0.7;
mask AP 79.2 +- 0.2, 68.9 +- 0.3.
"""

_base_ = ["_base_/distill_r18_shapes.py"]

vocabulary = "{data_root}/{split}/clip-directions/vocabulary.safetensors"
regions = "{data_root}/{split}/clip-directions/regions"
teacher = dict(
    model="ovshapes", embedding_map=["ovshapes-clip", "ovshapes-clip-directions-{split}"]
)
model = dict(
    distillers=[
        dict(type="VouchTerm", image_weight=0.5),
        dict(type="RegionQueueTerm", loss_weight=1.0, temperature=0.1),
    ],
    roi_head=dict(bbox_head=dict(cls_predictor_cfg=dict(temperature=0.07))),
)
train_cfg = dict(max_iters=2500, val_interval=2500)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type="CosineAnnealingLR", by_epoch=False, begin=100, end=2500, eta_min=2e-5),
]
