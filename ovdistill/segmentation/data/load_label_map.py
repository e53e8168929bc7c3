"""The transform that loads the label map of an image."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.transforms.base import BaseTransform
from mmdet.registry import TRANSFORMS

from ovdistill.segmentation.data.record_maps import load_maps


@TRANSFORMS.register_module()
class LoadLabelMap(BaseTransform):
    """Load a label map, with rows of the vocabulary as its values.

    Placed before the geometric transforms it follows them, which training needs. Placed behind
    them it keeps the size of the image's file, which testing needs.

    Args:
        with_segments: load the segment numbers of a panoptic truth too.
    """

    def __init__(self, *, with_segments: bool = False) -> None:
        self.with_segments = with_segments

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add ``gt_seg_map`` (H, W) int32, rows, ``UNLABELLED`` or ``IGNORE``.

        With segments it is (H, W, 2), whose second channel are the segment numbers: mmdet's
        transforms move one map, whatever its channels are.

        Raises:
            UserError: see ``load_maps``.
        """
        rows, segments = load_maps(results, results["ori_shape"])
        results["gt_seg_map"] = np.stack([rows, segments], -1) if self.with_segments else rows
        return results
