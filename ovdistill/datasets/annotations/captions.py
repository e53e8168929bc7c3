"""Reads captions in COCO's format."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path, PureWindowsPath
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations.ids import image_number
from ovdistill.datasets.annotations.images import check_keys
from ovdistill.datasets.annotations.reader import Annotations, read_sections
from ovdistill.datasets.annotations.values import is_text, shown

LOGGER = logging.getLogger(__name__)
CAPTION_KEYS = frozenset({"image_id", "caption"})


def read_captions(path: str | Path, annotations: Annotations | None = None) -> dict[int, list[str]]:
    """Read the captions of a file in COCO's format.

    Args:
        path: the file.
        annotations: of the images that the captions are for. Captions are found by image id: an id
            that both files list must be of the same file name there, without folders.

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
    if annotations is not None:
        _check_same_images(path, content["images"], annotations)
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


def _check_same_images(path: Path, images: Iterable[Any], annotations: Annotations) -> None:
    """Raise UserError if ids of a caption file, which lists images, are others in another file."""
    there, now = _names(path, images), _names(annotations.path, annotations.images)
    shared = [image_id for image_id in there if image_id in now]
    other = [image_id for image_id in shared if not _is_same(there[image_id], now[image_id])]
    if other:
        first = other[0]
        raise UserError(
            f"{path} has captions of other images than {annotations.path} lists: of {len(shared)} "
            f"ids that both have, {len(other)} are of other files (image {first} is "
            f"{there[first]!r} in the one, {now[first]!r} in the other). Expected captions with "
            "the image ids of that file"
        )


def _is_same(one: str, other: str) -> bool:
    """Return whether two names are of one file, which COCO of 2014 has with a prefix."""
    longer, shorter = sorted((one, other), key=len, reverse=True)
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
