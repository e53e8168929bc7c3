"""Estimates the time and the disk space that an extraction takes."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor

from ovdistill.teacher import DenseRegions, Teacher

ASPECT = 0.75  # height of a usual photo by its width


def seconds_per_image(teacher: Teacher, batch_size: int, per_image: int) -> float:
    """Measure how long the teacher takes for the regions of an image.

    Args:
        teacher: it encodes noise, twice, the first time to warm up.
        batch_size: crops in a batch.
        per_image: regions of an image.
    """
    policy = teacher.crops
    if isinstance(policy, DenseRegions):
        height = round(policy.size * ASPECT)
        image = _noise(height, policy.size)
        box = torch.tensor([[0.0, 0.0, policy.size / 4, height / 4]])  # a usual object's
        boxes = box.expand(per_image, 4)
        return _seconds(lambda: teacher.encode_regions(image, boxes, batch_size))
    side = teacher.image_size
    crops = torch.stack([_noise(side, side)] * batch_size)
    crop = _seconds(lambda: teacher.encode_images(crops)) / batch_size
    return crop * len(policy.scales) * per_image


def describe_passes(teacher: Teacher) -> str:
    """Return what the teacher encodes for the regions of an image, as text."""
    policy = teacher.crops
    if isinstance(policy, DenseRegions):
        after = f", and the stages after {policy.stage} each" if policy.stage else ""
        return f"one pass of {policy.size} pixels for all of an image{after}"
    return f"{len(policy.scales)} crops each"


def bytes_per_region(embed_dim: int) -> int:
    """Return the size of a region on disk: embedding in float16, box and score in float32."""
    return 2 * embed_dim + 4 * 5


def _noise(height: int, width: int) -> Tensor:
    """Return an image (3, height, width) uint8 of noise."""
    return torch.randint(0, 256, (3, height, width), dtype=torch.uint8)


def _seconds(encode: Callable[[], Tensor]) -> float:
    """Return the seconds that a call takes, its result on the CPU, after one to warm up."""
    encode()
    start = time.perf_counter()
    encode().cpu()
    return time.perf_counter() - start
