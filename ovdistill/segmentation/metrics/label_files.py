"""Predicted label maps as files, in their data set's values, as evaluation servers take them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ovdistill.core.errors import UserError
from ovdistill.core.files import atomic_file
from ovdistill.segmentation.data.label_map import IGNORE, NO_CLASS_VALUES

SUFFIX = ".png"


class LabelMapWriter:
    """Write predicted label maps into a folder, one PNG file of an image.

    Files have 8 bits if all values are below 255, else 16. Pixels without a class get the largest
    value, which no class has; so do those of a class that the data set has no value for.

    Args:
        folder: where to write; it is made if it is missing.
        values: (W,) the data set's value of each row of the vocabulary, ``IGNORE`` for none.

    Raises:
        UserError: a value that 16 bits do not hold.
    """

    def __init__(self, folder: str | os.PathLike[str], values: Sequence[int]) -> None:
        self.folder = Path(folder)
        largest = max(values, default=0)
        if largest >= NO_CLASS_VALUES[1]:
            raise UserError(
                f"the value {largest} of a label table does not fit into 16 bits; expected values "
                f"below {NO_CLASS_VALUES[1]}"
            )
        wide = largest >= NO_CLASS_VALUES[0]
        found = np.array([*values, IGNORE])  # the last one is that of the row IGNORE, -1
        found[found == IGNORE] = NO_CLASS_VALUES[wide]
        self._values = found.astype(np.uint16 if wide else np.uint8)

    def write(self, image_id: str | int, rows: np.ndarray) -> Path:
        """Write the label map of an image, complete or not at all.

        Args:
            image_id: the ``img_id`` of its record, which is the name of the file; it may have
                folders before it.
            rows: (H, W) rows of the vocabulary, or ``IGNORE``.

        Raises:
            UserError: a name that leads out of the folder, or a file that cannot be written.
        """
        path = label_map_path(self.folder, image_id)
        with atomic_file(path) as temporary:
            Image.fromarray(self._values[rows]).save(temporary, "PNG")
        return path


def label_map_path(folder: Path, image_id: str | int) -> Path:
    """Return the path of an image's predicted label map.

    Raises:
        UserError: a name that leads out of the folder.
    """
    path = folder / f"{image_id}{SUFFIX}"
    if ".." in path.parts or not path.is_relative_to(folder):
        raise UserError(f"image {image_id!r} would be written outside of {folder}; rename it")
    return path
