"""Resizing that leaves every image at least one pixel on each side."""

from __future__ import annotations

import copy
from typing import Any

from mmcv.image.geometric import rescale_size
from mmdet.datasets.transforms import Resize
from mmdet.registry import TRANSFORMS


@TRANSFORMS.register_module()
class OVResize(Resize):
    """mmdet's ``Resize``, also for very thin images.

    With ``keep_ratio`` mmdet rounds the short side of 3 x 4000 pixels to 0 of 128 and fails. Here
    that side becomes 1 pixel, so the image is stretched a little; ``scale_factor`` and the
    homography say so, and boxes and masks follow. All other images are resized as by mmdet, so
    are all of them with a ``scale_factor`` in place of a ``scale``.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Resize the image, its boxes and masks; see mmdet's ``Resize``."""
        if not (self.keep_ratio and self.scale):
            return super().transform(results)
        height, width = results["img"].shape[:2]
        size = rescale_size((width, height), self.scale)
        if min(size) > 0:
            return super().transform(results)
        stretch = copy.copy(self)
        stretch.keep_ratio = False
        stretch.scale = tuple(max(1, side) for side in size)
        return Resize.transform(stretch, results)
