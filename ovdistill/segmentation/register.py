"""Registers every component of segmentation with mmdet's registries, beside those of detection.

Configs of segmentation name this module in ``custom_imports``, and ``load_config`` imports it.
"""

import ovdistill.models.register  # noqa: F401  first: it prepares mmdet
from ovdistill.segmentation.data import (  # noqa: F401
    dataset,
    load_label_map,
    ovshapes,
    pack,
    panoptic,
)
from ovdistill.segmentation.losses import terms  # noqa: F401
from ovdistill.segmentation.metrics import panoptic_metric, semantic_metric  # noqa: F401
from ovdistill.segmentation.models import (  # noqa: F401
    dense_teacher_hook,
    mask_word,
    pixel_word_head,
    segmentor,
)
