"""ViLD with the parts of Vouch, each switched on by an option; rows.py names the combinations."""

_base_ = ["../../../configs/vild_r18_shapes.py"]

custom_imports = dict(
    imports=["ovdistill.models.register", "contest_term"], allow_failed_imports=False
)
model = dict(
    distillers=[
        dict(type="ViLDTerm", loss_weight=0.5),
        dict(type="VouchTerm", image_weight=0.0, soften=0.0),
        dict(type="ContestTerm", loss_weight=0.0),
    ]
)
