"""Finds the regions of images that show an object of whatever class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.inference.detector import Detector
from ovdistill.store import Regions
from ovdistill.vocabulary import Vocabulary


def known_names(detector: Detector) -> Vocabulary:
    """Return the class names that a detector was trained with.

    Raises:
        UserError: their file is not there.
    """
    if detector.known is None:
        raise UserError(
            f"the class names that {detector.files.weights} was trained with are not there, so "
            "nobody knows what is background to it; expected a folder that `ovdistill publish` "
            "wrote, or a config whose vocabulary is there"
        )
    return detector.known


def find_regions(
    detector: Detector,
    images: Sequence[np.ndarray],
    most: int,
    boxes: Sequence[Tensor] | None = None,
) -> list[Regions]:
    """Return the regions of each image that show an object, best first.

    The detector looks for the class names of its training from now on: an object is what is no
    background under them.

    Args:
        detector: a two-stage detector.
        images: (H, W, 3) uint8 RGB each.
        most: the largest number of regions of an image.
        boxes: (n, 4) of each image, xyxy, pixels, from which the regions are made; by default those
            of the RPN.

    Raises:
        UserError: see ``known_names``, or a one-stage detector.
    """
    detector.set_vocabulary(known_names(detector))
    return detector.engine.find_regions(images, most, boxes)
