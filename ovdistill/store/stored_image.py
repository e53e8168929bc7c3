"""What a shard states of an image, beside its id and its regions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from ovdistill.core.header_values import SIZE, TEXT, Kind


class StoredImage(NamedTuple):
    """The file that the regions of an image are of.

    Attributes:
        name: name of the file, without folders, which may be others on another machine.
        height: of the image, in pixels.
        width: of the image, in pixels.
    """

    name: str
    height: int
    width: int

    @classmethod
    def of_file(cls, path: str | os.PathLike[str], size: tuple[int, int]) -> StoredImage:
        """Return what is stored of an image file.

        Args:
            path: the file.
            size: height and width of the image, in pixels.
        """
        return cls(Path(path).name, *size)

    def __str__(self) -> str:
        return f"{self.name!r} of {self.width} x {self.height}"


def _is_stored_image(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != len(StoredImage._fields):
        return False
    return TEXT.fits(value[0]) and all(map(SIZE.fits, value[1:]))


STORED_IMAGE = Kind("a file name with height and width", _is_stored_image)
