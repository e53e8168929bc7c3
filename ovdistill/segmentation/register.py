"""Registers every component of segmentation with mmdet's registries, beside those of detection.

Configs of segmentation name this module in ``custom_imports``, and ``load_config`` imports it.
"""

import ovdistill.models.register
import ovdistill.segmentation.register_models  # noqa: F401
from ovdistill.segmentation.data import (  # noqa: F401
    dataset,
    load_label_map,
    ovshapes,
    pack,
    panoptic,
)
from ovdistill.segmentation.losses import terms  # noqa: F401
from ovdistill.segmentation.metrics import panoptic_metric, semantic_metric  # noqa: F401
from ovdistill.segmentation.models import dense_teacher_hook  # noqa: F401
