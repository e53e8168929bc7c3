"""Token by token with Vouch in place of ViLD: unlabelled objects count less as background."""

_base_ = ["../../../configs/token_r18_shapes.py"]

model = dict(distillers=[dict(type="VouchTerm", image_weight=0.5)])
