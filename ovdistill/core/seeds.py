"""Random numbers of a part of a program that depend on its seed alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def drawn_by(seed: int) -> Iterator[None]:
    """Draw the CPU's random numbers of a block from a seed; those after it stay as they were."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
