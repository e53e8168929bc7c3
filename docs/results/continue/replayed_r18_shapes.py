"""New and old images in turn, without distillation."""

_base_ = ["../../../configs/continue_r18_shapes.py"]

model = dict(distillers=[])
