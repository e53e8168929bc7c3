"""ViLD with alignment token by token on OVShapes: "striped star" is "striped" and "star".

Command:

    ovdistill train token_r18_shapes
    ovdistill test token_r18_shapes work_dirs/token_r18_shapes/last.pth
"""

_base_ = ["vild_r18_shapes.py"]

vocabulary = "{data_root}/{split}/{geometry}/vocabulary_tokens.safetensors"
prepare = dict(vocabulary=dict(tokens=True))
model = dict(
    roi_head=dict(
        bbox_head=dict(
            cls_predictor_cfg=dict(type="RegionTokenHead"),
            loss_cls=dict(_delete_=True, type="RegionTokenLoss"),
        )
    )
)
