"""The open-vocabulary detector: mmdet's two-stage detector with words instead of logits."""

from ovdistill.core import mmcv_ops

mmcv_ops.install()
