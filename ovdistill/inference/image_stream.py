"""Detects objects in one image after another; one that cannot be read stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from ovdistill.core.images import ImageError
from ovdistill.inference.detections import Detections
from ovdistill.inference.sources import ImageSource

Detect = Callable[[Sequence[np.ndarray]], Sequence[Detections]]


def detect_images(
    sources: Sequence[ImageSource], detect: Detect, batch_size: int
) -> Iterator[tuple[ImageSource, Detections | ImageError]]:
    """Yield each source with its detections, or with the error of an image that cannot be read.

    Args:
        sources: the images, of which ``batch_size`` are held at a time.
        detect: returns the detections in each of several images.
        batch_size: images that ``detect`` gets at once.
    """
    left = iter(sources)
    while batch := list(islice(left, batch_size)):
        loaded: list[tuple[ImageSource, np.ndarray | ImageError]] = []
        for source in batch:
            try:
                loaded.append((source, source.load()))
            except ImageError as error:
                loaded.append((source, error))
        images = [image for _, image in loaded if isinstance(image, np.ndarray)]
        found = iter(detect(images) if images else ())
        for source, image in loaded:
            if isinstance(image, ImageError):
                yield source, image
            else:
                path = None if source.path is None else str(source.path)
                size = (image.shape[0], image.shape[1])
                yield source, replace(next(found), image=image, path=path, size=size)
