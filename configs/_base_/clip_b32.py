"""The teacher of the papers: OpenAI's CLIP ViT-B/32, which sees a region at 1x and 1.5x.

A crop is a square of the box's longer side (``shape="square"``, the default): that of ViLD, whose
resizing is not published. ``clip_crops`` are DetPro's and RKD's crops, which CLIP's own
preprocessing cuts: the shorter side is resized and the middle kept.

The image tower runs in float32. On a GPU extract with `--precision bf16`, which is several times
faster (docs/scale.md); a training that extracts takes `--cfg-options teacher.precision=bf16`.
"""

teacher = dict(model="ViT-B-32-quickgelu", pretrained="openai", crops=dict(scales=(1.0, 1.5)))
clip_crops = dict(scales=(1.0, 1.5), shape="clip", fuse="sum_then_norm")  # DetPro; RKD: 1x alone
