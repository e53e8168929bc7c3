"""Datasets in COCO or LVIS format with base and novel words, and their transforms."""

from ovdistill import mmcv_ops

mmcv_ops.install()
