"""What an extraction will cost, before hours are spent."""

from __future__ import annotations

import time

import torch

from ovdistill.teacher import Teacher


def seconds_per_region(teacher: Teacher, batch_size: int) -> float:
    """Measure the teacher on a batch of noise, after one to warm up; all scales of a region."""
    size = teacher.image_size
    crops = torch.randint(0, 256, (batch_size, 3, size, size), dtype=torch.uint8)
    teacher.encode_images(crops)
    start = time.perf_counter()
    teacher.encode_images(crops).cpu()
    return (time.perf_counter() - start) / batch_size * len(teacher.crops.scales)


def bytes_per_region(embed_dim: int) -> int:
    """Return the size on disk: a float16 embedding, a float32 box and score."""
    return 2 * embed_dim + 4 * 5
