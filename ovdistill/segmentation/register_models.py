"""Registers the segmentors with mmdet's registries: all that prediction needs.

Training and testing take ``register``, which adds data sets, transforms, terms and metrics.
"""

import ovdistill.models.register_models  # noqa: F401  first: it prepares mmdet
from ovdistill.segmentation.models import mask_word, pixel_word_head, segmentor  # noqa: F401
