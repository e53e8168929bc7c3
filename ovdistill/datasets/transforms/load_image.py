"""The transform that reads an image with the package's one image reader."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.transforms.base import BaseTransform
from mmdet.registry import TRANSFORMS

from ovdistill.core.errors import UserError
from ovdistill.core.images import ImageError, read_image
from ovdistill.datasets.bad_images import BadImages

MOST_IN_A_ROW = 500  # bad images without a good one between; mmengine gives up after 1000


@TRANSFORMS.register_module(name=["LoadImage", "LoadPicture"])
class LoadImage(BaseTransform):
    """Read the image of a record; one that cannot be used is one clear error that names it.

    An image cannot be used if it is missing, damaged, or of another size than the record says.
    Registered as 'LoadPicture' too, its name in older configs.

    Args:
        max_bad_images: in training, up to so many images are skipped instead; another one is drawn
            in their place. For testing it must stay 0: a skipped image would change the result.
        bad_images: the file that lists them, see ``BadImages``.
    """

    def __init__(self, max_bad_images: int = 0, bad_images: str = "") -> None:
        self.skipped = BadImages(bad_images, max_bad_images) if max_bad_images else None
        self._in_a_row = 0

    def transform(self, results: dict[str, Any]) -> dict[str, Any] | None:
        """Add ``img`` (H, W, 3) uint8 BGR, ``img_shape`` and ``ori_shape``.

        Returns:
            The record, or None for an image that is skipped.

        Raises:
            UserError: the image cannot be used, and is not skipped.
        """
        sized = "height" in results and "width" in results
        try:
            pixels = read_image(
                results["img_path"], (results["height"], results["width"]) if sized else None
            )
        except ImageError as error:
            self._skip(results["img_path"], error)
            return None
        self._in_a_row = 0
        results["img"] = np.ascontiguousarray(pixels[..., ::-1])  # mmdet's pipelines take BGR
        results["img_shape"] = results["ori_shape"] = pixels.shape[:2]
        return results

    def _skip(self, path: str, error: ImageError) -> None:
        """Add an image to the list of bad ones; raise UserError where there is none."""
        if self.skipped is None:
            raise UserError(
                f"{error}. The annotation file names it: check data_root and data_prefix, or fetch "
                "the images again. (A training skips bad images with --max-bad-images N.)"
            ) from None
        self._in_a_row += 1
        self.skipped.add(path, error.problem)
        if self._in_a_row == MOST_IN_A_ROW:
            raise UserError(
                f"{self._in_a_row} images in a row could not be used; see {self.skipped.path}"
            )
