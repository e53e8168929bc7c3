"""Small data sets with label maps, drawn for a test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ovdistill.vocabulary import Vocabulary


def vocabulary_of(names: Sequence[str], novel: Sequence[str] = ()) -> Vocabulary:
    """A vocabulary of these names; embeddings say nothing."""
    embeddings = torch.nn.functional.normalize(torch.randn(len(names), 8), dim=1)
    is_base = torch.tensor([name not in novel for name in names])
    return Vocabulary(tuple(names), embeddings, is_base, "test")


def write_image(path: Path, pixels: np.ndarray, mode: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    if mode == "P":
        image = Image.fromarray(pixels, "L")
        image.putpalette([(37 * k) % 256 for k in range(768)])
    image.save(path)
    return path


def write_pair(root: Path, name: str, values: np.ndarray, mode: str | None = None) -> None:
    """An image whose red channel is ten times its label map, and the map."""
    image = np.zeros((*values.shape, 3), np.uint8)
    image[..., 0] = values * 10 % 256
    write_image(root / f"images/{name}.png", image)
    write_image(root / f"maps/{name}.png", values.astype(np.uint8), mode)
