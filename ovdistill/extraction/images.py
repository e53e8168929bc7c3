"""Images of a data set, read in the workers of a data loader; a bad one is a record, no crash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ovdistill.core.images import ImageError, read_image


@dataclass(frozen=True)
class ImageFile:
    """An image to read.

    Attributes:
        image_id: its id in the annotations.
        path: the file.
        size: height and width that the annotations say, or None.
    """

    image_id: int
    path: str
    size: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class LoadedImage:
    """An image that was read, or why it was not.

    Attributes:
        file: what was to be read.
        pixels: (3, H, W) uint8 RGB; None where there is a problem.
        problem: in words; empty where there is none.
    """

    file: ImageFile
    pixels: Tensor | None
    problem: str = ""


def load_image(file: ImageFile) -> LoadedImage:
    """Read an image, and compare its size with the one in the annotations."""
    try:
        array = read_image(file.path)
    except ImageError as error:
        return LoadedImage(file, None, error.problem)
    height, width = array.shape[:2]
    if file.size and file.size != (height, width):
        return LoadedImage(
            file,
            None,
            f"is {width} x {height}, but {file.size[1]} x {file.size[0]} in the annotations "
            "(rotated by its EXIF data, or another image)",
        )
    return LoadedImage(file, torch.from_numpy(array).permute(2, 0, 1))


class _Files(Dataset):
    def __init__(self, files: Sequence[ImageFile]) -> None:
        self.files = files

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> LoadedImage:
        return load_image(self.files[index])


def image_loader(
    files: Sequence[ImageFile], batches: Sequence[Sequence[int]], workers: int
) -> DataLoader:
    """Make a data loader that gives lists of ``LoadedImage``.

    Args:
        files: all images.
        batches: indices of the images of each list.
        workers: processes that read; 0 = this one.
    """
    return DataLoader(
        _Files(files), batch_sampler=batches, num_workers=workers, collate_fn=_uncollated
    )


def _uncollated(images: list[LoadedImage]) -> list[LoadedImage]:
    return images
