"""Estimates the time and the disk space that an extraction takes."""

from __future__ import annotations

import time

import torch

from ovdistill.teacher import Teacher


def seconds_per_region(teacher: Teacher, batch_size: int) -> float:
    """Measure how long the teacher takes for a region, with the crops of all its scales.

    Args:
        teacher: it encodes two batches of noise, the first one to warm up.
        batch_size: crops in a batch.
    """
    size = teacher.image_size
    crops = torch.randint(0, 256, (batch_size, 3, size, size), dtype=torch.uint8)
    teacher.encode_images(crops)
    start = time.perf_counter()
    teacher.encode_images(crops).cpu()
    return (time.perf_counter() - start) / batch_size * len(teacher.crops.scales)


def bytes_per_region(embed_dim: int) -> int:
    """Return the size of a region on disk: embedding in float16, box and score in float32."""
    return 2 * embed_dim + 4 * 5
