"""Small data sets with label maps, drawn for a test."""

from __future__ import annotations

import struct
import zlib
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


def write_grey_png(path: Path, values: np.ndarray, bits: int, colour: int = 0) -> Path:
    """A PNG file with so many bits a sample, which Pillow does not write; colour 2 is RGB."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    samples = values[..., None] >> np.arange(bits)[::-1] & 1  # the highest bit first
    rows = np.packbits(samples.reshape(len(values), -1).astype(np.uint8), axis=1)
    width = values.shape[1] // (3 if colour == 2 else 1)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, len(values), bits, colour, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows)))
        + chunk(b"IEND", b"")
    )
    return path


def write_pair(root: Path, name: str, values: np.ndarray, mode: str | None = None) -> None:
    """An image whose red channel is ten times its label map, and the map."""
    image = np.zeros((*values.shape, 3), np.uint8)
    image[..., 0] = values * 10 % 256
    write_image(root / f"images/{name}.png", image)
    write_image(root / f"maps/{name}.png", values.astype(np.uint8), mode)
