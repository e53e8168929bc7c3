"""Reads captions in COCO's format."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations.ids import image_number
from ovdistill.datasets.annotations.images import check_keys
from ovdistill.datasets.annotations.reader import read_sections
from ovdistill.datasets.annotations.values import is_text, shown

LOGGER = logging.getLogger(__name__)
CAPTION_KEYS = frozenset({"image_id", "caption"})


@dataclass(frozen=True)
class ImageNames:
    """The file names of the images of an annotation file.

    Attributes:
        path: the annotation file.
        names: file names without folders, by image id; images without a name have none here.
    """

    path: Path
    names: Mapping[int, str]

    @classmethod
    def of_file(cls, path: str | Path) -> ImageNames:
        """Read the names alone.

        Raises:
            UserError: no such file, no list of images, or an image of unusable id.
        """
        return cls.of_records(Path(path), read_sections(Path(path), ("images",))["images"])

    @classmethod
    def of_records(cls, path: Path, records: Iterable[Any]) -> ImageNames:
        """Return the names of image records of a file."""
        return cls(path, _names(path, records))


def read_captions(
    path: str | os.PathLike[str], images: ImageNames | None = None
) -> dict[int, list[str]]:
    """Read the captions of a file in COCO's format.

    Args:
        path: the file.
        images: those that the captions are for. Captions are found by image id: an id that both
            files list should be of the same file name there, or else its captions are of another
            image. Folders, endings and the prefix of COCO of 2014 do not matter.

    Returns:
        Captions by image id (see ``image_number``), in file order, without white space at their
        ends. Those that are empty then are left out; an image that has no other has none here.

    Raises:
        UserError: no such file, not in that format, or of other images.
    """
    path = Path(path)
    captions: dict[int, list[str]] = {}
    empty = 0
    content = read_sections(path, ("annotations",), optional=("images",))
    if images is not None:
        _check_same_images(ImageNames.of_records(path, content["images"]), images)
    for record in content["annotations"]:
        check_keys(record, CAPTION_KEYS, "caption", path)
        try:
            image_id = image_number(record["image_id"])
        except UserError as error:
            raise UserError(f"{path} has a caption of an image of unknown id: {error}.") from None
        if not is_text(record["caption"]):
            raise UserError(
                f"image {shown(record['image_id'])} of {path} has caption "
                f"{shown(record['caption'])}; expected text."
            )
        own = captions.setdefault(image_id, [])
        if text := record["caption"].strip():
            own.append(text)
        else:
            empty += 1
    if empty:
        LOGGER.warning("%s: %d captions are empty and are left out", path, empty)
    return captions


def _check_same_images(captions: ImageNames, images: ImageNames) -> None:
    """Raise UserError if most ids of a caption file are of other images; warn of some."""
    there, now = captions.names, images.names
    shared = [image_id for image_id in there if image_id in now]
    other = [image_id for image_id in shared if not _is_same(there[image_id], now[image_id])]
    if not other:
        return
    first = other[0]
    said = (
        f"{captions.path} has captions of other images than {images.path} lists: of {len(shared)} "
        f"ids that both have, {len(other)} are of other files (image {first} is {there[first]!r} "
        f"in the one, {now[first]!r} in the other). Expected captions with the image ids of that "
        "file"
    )
    if 2 * len(other) > len(shared):
        raise UserError(said)
    LOGGER.warning(said)


def _is_same(one: str, other: str) -> bool:
    """Return whether two names are of one file; COCO of 2014 has a prefix."""
    longer, shorter = sorted((Path(one).stem, Path(other).stem), key=len, reverse=True)
    return longer == shorter or longer.endswith(f"_{shorter}")


def _names(path: Path, records: Iterable[Any]) -> dict[int, str]:
    """Return file names without folders, by image id, of the records of a file that have both."""
    names: dict[int, str] = {}
    for record in records:
        if isinstance(record, dict) and "id" in record and is_text(record.get("file_name")):
            name = record["file_name"]
            try:
                names[image_number(record["id"])] = PureWindowsPath(name).name
            except UserError as error:
                raise UserError(
                    f"{path} has an image {shown(name)} of unknown id: {error}."
                ) from None
    return names
