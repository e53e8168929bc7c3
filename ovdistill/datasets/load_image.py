"""The transform that reads an image with the package's one image reader."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.transforms.base import BaseTransform
from mmdet.registry import TRANSFORMS

from ovdistill.core.errors import UserError
from ovdistill.core.images import ImageError, read_image


@TRANSFORMS.register_module(name=["LoadImage", "LoadPicture"])
class LoadImage(BaseTransform):
    """Read the image of a record; a missing or damaged file is one clear error that names it.

    Registered as 'LoadPicture' too, its name in older configs.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add ``img`` (H, W, 3) uint8 BGR, ``img_shape`` and ``ori_shape``.

        Raises:
            UserError: no such file, or it cannot be decoded.
        """
        try:
            pixels = read_image(results["img_path"])
        except ImageError as error:
            raise UserError(
                f"{error}. The annotation file names it: check data_root and data_prefix, or fetch "
                "the images again."
            ) from None
        results["img"] = np.ascontiguousarray(pixels[..., ::-1])  # mmdet's pipelines take BGR
        results["img_shape"] = results["ori_shape"] = pixels.shape[:2]
        return results
