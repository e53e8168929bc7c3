"""The new images alone, without distillation; all base classes take part in the alignment."""

_base_ = ["distilled_r18_shapes.py"]

model = dict(distillers=[])
