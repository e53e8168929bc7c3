"""Open-vocabulary detectors: mmdet's detectors with text embeddings in place of class logits."""

from ovdistill.core import mmcv_ops

mmcv_ops.install()
