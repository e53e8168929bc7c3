"""Pictures of a data set, read in the workers of a data loader; a bad one is a record, no crash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

# 16 bits (in "I" too, as PNG files are read); PIL cuts them at 255 where it should divide
DEEP_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I")


@dataclass(frozen=True)
class PictureFile:
    """A picture to read.

    Attributes:
        image_id: its id in the annotations.
        path: the file.
        size: height and width that the annotations say, or None.
    """

    image_id: int
    path: str
    size: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture that was read, or why it was not.

    Attributes:
        file: what was to be read.
        pixels: (3, H, W) uint8 RGB; None where there is a problem.
        problem: in words; empty where there is none.
    """

    file: PictureFile
    pixels: Tensor | None
    problem: str = ""


def read(file: PictureFile) -> Picture:
    """Reads a picture as the training does: upright (EXIF), grey and CMYK to RGB, 16 bits to 8."""
    try:
        with Image.open(file.path) as image:
            image.load()  # a truncated file raises here
            array = np.array(_to_rgb(ImageOps.exif_transpose(image)))
    except FileNotFoundError:
        return Picture(file, None, "no such file")
    except (
        UnidentifiedImageError,
        Image.DecompressionBombError,
        OSError,
        SyntaxError,
        ValueError,
    ) as error:
        return Picture(file, None, f"cannot be read: {error}")
    height, width = array.shape[:2]
    if file.size and file.size != (height, width):
        return Picture(
            file,
            None,
            f"is {width} x {height}, but {file.size[1]} x {file.size[0]} in the annotations "
            "(rotated by its EXIF data, or another picture)",
        )
    return Picture(file, torch.from_numpy(array).permute(2, 0, 1))


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode not in DEEP_MODES:
        return image.convert("RGB")
    values = np.asarray(image, dtype=np.float32) / 257
    return Image.fromarray(values.round().clip(0, 255).astype(np.uint8)).convert("RGB")


class _Files(Dataset):
    def __init__(self, files: Sequence[PictureFile]) -> None:
        self.files = files

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Picture:
        return read(self.files[index])


def loader(
    files: Sequence[PictureFile], batches: Sequence[Sequence[int]], workers: int
) -> DataLoader:
    """Lists of ``Picture``.

    Args:
        files: all pictures.
        batches: indices of the pictures of each list.
        workers: processes that read; 0 = this one.
    """
    return DataLoader(
        _Files(files), batch_sampler=batches, num_workers=workers, collate_fn=_as_it_is
    )


def _as_it_is(pictures: list[Picture]) -> list[Picture]:
    return pictures
