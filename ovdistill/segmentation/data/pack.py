"""The last transform of a segmentation pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmdet.registry import TRANSFORMS
from mmengine.structures import PixelData

from ovdistill.datasets.transforms.pack_inputs import PackOVInputs
from ovdistill.segmentation.data.label_map import IGNORE


@TRANSFORMS.register_module()
class PackSegmentationInputs(PackOVInputs):
    """Pack an image with its label map, and with distillation regions where it has them.

    Args:
        **kwargs: as ``PackOVInputs``.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Return ``inputs`` (3, H, W) uint8 and ``data_samples``.

        The sample has ``gt_sem_seg``: ``sem_seg`` (1, H, W) int64, rows of the vocabulary,
        ``UNLABELLED`` or ``IGNORE``. If segments were loaded, it has ``gt_panoptic_seg`` too, with
        the same ``sem_seg`` and ``segments`` (1, H, W) int64.
        """
        if "gt_seg_map" not in results:
            return super().transform(results)
        maps = np.atleast_3d(results["gt_seg_map"]).astype(np.int64)
        packed = super().transform(results | {"gt_seg_map": maps[..., 0], "ignore_index": IGNORE})
        if maps.shape[-1] > 1:
            sample = packed["data_samples"]
            sample.gt_panoptic_seg = PixelData(
                sem_seg=sample.gt_sem_seg.sem_seg,
                segments=torch.from_numpy(np.ascontiguousarray(maps[..., 1]))[None],
            )
        return packed
