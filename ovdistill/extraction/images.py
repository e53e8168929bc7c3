"""Reads the images of a data set in worker processes; a bad image is reported, not raised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ovdistill.core.errors import UserError
from ovdistill.core.images import ImageError, read_image

FIRST_IMAGES = 8


@dataclass(frozen=True)
class ImageFile:
    """An image file of a data set.

    Attributes:
        image_id: id of the image in the annotations.
        path: the file.
        size: height and width according to the annotations, in pixels; None if unknown.
    """

    image_id: int
    path: str
    size: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class LoadedImage:
    """An image that was read, or the reason why it could not be used.

    Attributes:
        file: the image file.
        pixels: (3, H, W) uint8 RGB; None if there is a problem.
        problem: the reason, for the user; empty if there is none.
    """

    file: ImageFile
    pixels: Tensor | None
    problem: str = ""


def check_some_are_there(files: Sequence[ImageFile]) -> None:
    """Raise UserError unless there are images, and the file of one of the first ones."""
    if not files:
        raise UserError("no images to read; expected an annotation file with images")
    if not any(Path(file.path).is_file() for file in files[:FIRST_IMAGES]):
        raise UserError(
            f"no image {files[0].path}, nor the next ones; check the folder of the images "
            "(--images, or --cfg-options data_root=DIR)"
        )


def load_image(file: ImageFile) -> LoadedImage:
    """Read an image and compare its size with the annotations.

    Returns:
        The pixels, or the problem of an image that is missing, damaged or of another size.
    """
    try:
        array = read_image(file.path, file.size)
    except ImageError as error:
        return LoadedImage(file, None, error.problem)
    return LoadedImage(file, torch.from_numpy(array).permute(2, 0, 1))


class _Files(Dataset[LoadedImage]):
    def __init__(self, files: Sequence[ImageFile]) -> None:
        self.files = files

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> LoadedImage:
        return load_image(self.files[index])


def image_loader(
    files: Sequence[ImageFile], batches: Sequence[list[int]], workers: int
) -> DataLoader[LoadedImage]:
    """Make a data loader whose batches are lists of ``LoadedImage``.

    Args:
        files: all images.
        batches: indices into ``files`` for each batch.
        workers: processes that read; 0 = this process reads.
    """
    return DataLoader(
        _Files(files), batch_sampler=batches, num_workers=workers, collate_fn=_uncollated
    )


def _uncollated(images: list[LoadedImage]) -> list[LoadedImage]:
    return images
