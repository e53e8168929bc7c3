"""ViLD with alignment token by token on OVShapes: "striped star" is "striped" and "star".

Command:

    ovdistill train token_r18_shapes
    ovdistill test token_r18_shapes work_dirs/token_r18_shapes/last.pth

The teacher's gap is mapped away, as in best_r18_shapes.py: a sigmoid, unlike a softmax, sees what
all tokens have in common. With Vouch in place of ViLD novel AP is 13 points higher, 27 on the split
compositional (one seed each; ovdistill/distillation/region_word/README.md).

Cost: as vild_r18_shapes.py. Result (split shape, geometry clip, test images, one seed):
box AP base 71.3, novel 34.0; mask AP 68.1, 35.4.
"""

_base_ = ["vild_r18_shapes.py"]

vocabulary = "{data_root}/{split}/clip-directions/vocabulary_tokens.safetensors"
regions = "{data_root}/{split}/clip-directions/regions"
teacher = dict(
    model="ovshapes", embedding_map=["ovshapes-clip", "ovshapes-clip-directions-{split}"]
)
prepare = dict(vocabulary=dict(tokens=True))
model = dict(
    roi_head=dict(
        bbox_head=dict(
            cls_predictor_cfg=dict(type="RegionTokenHead", temperature=0.07),
            loss_cls=dict(_delete_=True, type="RegionTokenLoss"),
        )
    )
)
