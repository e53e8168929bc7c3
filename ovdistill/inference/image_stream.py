"""Runs a model on one image after another; one that cannot be read stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.core.images import ImageError
from ovdistill.inference.run_ahead import run_ahead
from ovdistill.inference.sources import ImageSource

if TYPE_CHECKING:
    from ovdistill.inference.detections import Detections
    from ovdistill.inference.segmentation_result import SegmentationResult

Found = TypeVar("Found", "Detections", "SegmentationResult")
Look: TypeAlias = Callable[[Sequence[np.ndarray]], Sequence[Found]]
Detect: TypeAlias = "Look[Detections]"


def look_at_images(
    sources: Sequence[ImageSource],
    look: Look[Found],
    batch_size: int,
) -> Iterator[tuple[ImageSource, Found | ImageError]]:
    """Yield each source with what was found in it, or with the error of one that is not readable.

    The next images are read in a thread while these are looked at.

    Args:
        sources: the images, of which twice ``batch_size`` are held at a time.
        look: returns what is in each of several images.
        batch_size: images that ``look`` gets at once.

    Raises:
        UserError: ``batch_size`` is below 1.
    """
    if batch_size < 1:
        raise UserError(f"got batch_size = {batch_size}; expected 1 or more")
    for loaded in run_ahead(_batches(sources, batch_size)):
        images = [image for _, image in loaded if isinstance(image, np.ndarray)]
        found = iter(look(images) if images else ())
        for source, image in loaded:
            if isinstance(image, ImageError):
                yield source, image
            else:
                path = None if source.path is None else str(source.path)
                yield source, replace(next(found), image=image, path=path)


def collect(results: Iterator[tuple[ImageSource, Found | ImageError]], *, single: bool) -> Any:
    """Return what ``look_at_images`` yields: of a single image itself, of several a list.

    Raises:
        ImageError: an image cannot be read; the first such.
    """
    found = []
    for _, one in results:
        if isinstance(one, ImageError):
            raise one
        found.append(one if single else one.compact())
    return found[0] if single else found


def _batches(
    sources: Sequence[ImageSource], batch_size: int
) -> Iterator[list[tuple[ImageSource, np.ndarray | ImageError]]]:
    """Yield the images of each batch, each with its source; the error of one in its place."""
    left = iter(sources)
    while batch := list(islice(left, batch_size)):
        loaded: list[tuple[ImageSource, np.ndarray | ImageError]] = []
        for source in batch:
            try:
                loaded.append((source, source.load()))
            except ImageError as error:
                loaded.append((source, error))
        yield loaded
