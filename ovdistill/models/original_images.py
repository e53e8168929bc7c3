"""The image files behind the inputs of a network, as the teacher sees them in an extraction.

A network sees its images resized; what it finds is cut out of the files themselves here.

Shapes: n boxes of an image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.core.images import read_image

NEEDED = ("img_path", "ori_shape", "img_shape", "scale_factor")


@dataclass(frozen=True)
class OriginalImage:
    """An image as its file holds it, and how a network sees it.

    Attributes:
        pixels: (3, H, W) uint8 RGB.
        scale: pixels of the network input for one of the image, along x and y.
    """

    pixels: Tensor
    scale: tuple[float, float]

    def boxes_of(self, boxes: Tensor) -> Tensor:
        """Return boxes of the network input as boxes of the image.

        Args:
            boxes: (n, 4) xyxy, absolute pixels of the network input.

        Returns:
            (n, 4) float32 xyxy, absolute pixels of the image, clipped to it as an extraction clips
            them. A box that is left without an area, which an extraction would drop, becomes the
            one pixel next to it.
        """
        height, width = self.pixels.shape[-2:]
        limits = boxes.new_tensor([width, height], dtype=torch.float32)
        corners = boxes.float().unflatten(1, (2, 2)) / limits.new_tensor(self.scale)
        corners = torch.minimum(corners.clamp(min=0), limits)
        start, end = corners.unbind(1)
        empty = ~(end > start).all(dim=1, keepdim=True)
        pixel = torch.minimum(start.floor(), limits - 1)
        return torch.where(empty.repeat(1, 4), torch.cat([pixel, pixel + 1], 1), corners.flatten(1))


def read_original(meta: Mapping[str, Any]) -> OriginalImage:
    """Read the image file of which a network sees a resized copy.

    Args:
        meta: metadata of the network's input, as ``PackOVInputs`` writes them.

    Raises:
        UserError: the metadata name no file or size, a test pipeline that flips or crops images,
            or a file that is missing, damaged or of another size.
    """
    missing = [key for key in NEEDED if meta.get(key) is None]
    if missing:
        raise UserError(
            f"the teacher crops image files, but the samples have no {', '.join(missing)}. "
            f"Expected images of files, and meta_keys={NEEDED} of the test pipeline's last step."
        )
    height, width = meta["ori_shape"][:2]
    scale_x, scale_y = meta["scale_factor"]
    seen_height, seen_width = meta["img_shape"][:2]
    # one pixel less may come from rounding; more than the scaled image is padding
    cropped = seen_height < height * scale_y - 1 or seen_width < width * scale_x - 1
    if meta.get("flip") or cropped:
        raise UserError(
            f"the test pipeline {'crops' if cropped else 'flips'} images ({meta['img_path']}), so "
            "their boxes are not those of the files, which the teacher crops. Expected a pipeline "
            "that only resizes and pads: take the other steps out of test_pipeline."
        )
    pixels = torch.from_numpy(read_image(meta["img_path"], (height, width)))
    return OriginalImage(pixels.permute(2, 0, 1), (float(scale_x), float(scale_y)))
