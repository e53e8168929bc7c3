"""Resizing that leaves every image at least one pixel on each side."""

from __future__ import annotations

import copy
from typing import Any

from mmcv.image.geometric import rescale_size
from mmdet.datasets.transforms import Resize
from mmdet.registry import TRANSFORMS

from ovdistill.datasets.transforms.fitting_size import Size, fitting_size


@TRANSFORMS.register_module()
class OVResize(Resize):
    """mmdet's ``Resize``, also for very thin images, and with a limit for small ones.

    With ``keep_ratio`` mmdet rounds the short side of 3 x 4000 pixels to 0 of 128 and fails. Here
    that side becomes 1 pixel, so the image is stretched a little; ``scale_factor`` and the
    homography say so, and boxes and masks follow. All other images are resized as by mmdet, so
    are all of them with a ``scale_factor`` in place of a ``scale``.

    Args:
        *args: as for mmdet's ``Resize``.
        enlarge_within: with ``keep_ratio`` and ``scale``, see ``fitting_size``.
        **kwargs: as for mmdet's ``Resize``.
    """

    def __init__(self, *args: Any, enlarge_within: Size | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.enlarge_within = enlarge_within

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Resize the image, its boxes and masks; see mmdet's ``Resize``."""
        if not (self.keep_ratio and self.scale):
            return super().transform(results)
        height, width = results["img"].shape[:2]
        size = fitting_size((width, height), self.scale, self.enlarge_within)
        if size == rescale_size((width, height), self.scale):
            return super().transform(results)
        exact = copy.copy(self)
        exact.keep_ratio = False
        exact.scale = size
        return Resize.transform(exact, results)
