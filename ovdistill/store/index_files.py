"""The files of an index beside its regions: what made it, and which images it knows.

An index is a folder that grows by parts. Each run over new images adds one:

    index.json                what made it (``IndexHeader``)
    images-00000.json         the images of a part (``ImageRecord``), written before its regions
    regions-00000/            their regions, a store (``store.teacher_store``)
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.core.files import write_json
from ovdistill.core.header_values import COUNT, INTEGER, OBJECT, SIZE, TEXT, Kind, expect, list_of
from ovdistill.core.json_files import read_json
from ovdistill.core.teacher_id import TeacherId

FORMAT = "ovdistill-index-1"
HEADER = "index.json"
FIX = "make it with: ovdistill index IMAGES -o INDEX"


@dataclass(frozen=True)
class IndexHeader:
    """What made an index.

    Attributes:
        root: absolute path of the folder that the paths of images are relative to.
        model: the detector, as ``Detector.from_pretrained`` takes it.
        detector_hash: first 16 hex digits of the SHA-256 of its weights.
        teacher: name of the teacher in whose space the embeddings are.
        teacher_hash: see ``TeacherId``.
        regions: the most regions of an image.
    """

    root: str
    model: str
    detector_hash: str
    teacher: str
    teacher_hash: str
    regions: int

    @property
    def teacher_id(self) -> TeacherId:
        """Teacher in whose space the embeddings are."""
        return TeacherId(self.teacher, self.teacher_hash)


@dataclass(frozen=True)
class ImageRecord:
    """An image of an index, and what tells whether its file has changed.

    Attributes:
        image_id: number in the index.
        file: path relative to the root.
        bytes: size of the file; 0 if it could not be had.
        mtime_ns: when the file was changed last, in nanoseconds.
    """

    image_id: int
    file: str
    bytes: int
    mtime_ns: int

    @classmethod
    def of_file(cls, image_id: int, path: Path, root: str) -> ImageRecord:
        """Return the record of a file as it is now."""
        return cls(image_id, os.path.relpath(path.absolute(), root), *file_state(path))

    def path(self, root: str) -> Path:
        """Return where the image is."""
        return Path(os.path.normpath(os.path.join(root, self.file)))


def file_state(path: Path) -> tuple[int, int]:
    """Return the size of a file in bytes and its time of change in ns; zeros if it is not there."""
    try:
        found = path.stat()
    except (OSError, ValueError):  # ValueError: a path that no file can have
        return 0, 0
    return found.st_size, found.st_mtime_ns


def gone(records: Iterable[ImageRecord], root: str) -> list[ImageRecord]:
    """Return those whose file is not there any more; each is looked for."""
    return [record for record in records if not os.path.isfile(record.path(root))]


RECORD = Kind(
    "a record of an image",
    lambda value: (
        isinstance(value, dict)
        and value.keys() == {field.name for field in fields(ImageRecord)}
        and COUNT.fits(value["image_id"])
        and TEXT.fits(value["file"])
        and all(INTEGER.fits(value[key]) for key in ("bytes", "mtime_ns"))
    ),
)


def images_path(folder: Path, part: int) -> Path:
    """Return the path of a part's list of images."""
    return folder / f"images-{part:05}.json"


def regions_path(folder: Path, part: int) -> Path:
    """Return the folder of a part's store."""
    return folder / f"regions-{part:05}"


def count_parts(folder: Path) -> int:
    """Return the number of parts of an index, the unfinished one included."""
    part = 0
    while images_path(folder, part).is_file():
        part += 1
    return part


def write_header(folder: Path, header: IndexHeader) -> None:
    """Write ``index.json``, complete or not at all."""
    write_json(folder / HEADER, {"format": FORMAT, **asdict(header)})


def read_index_header(folder: Path) -> IndexHeader:
    """Read ``index.json``.

    Raises:
        UserError: there is none, or it is damaged or of another version.
    """
    if not (folder / HEADER).is_file():
        raise UserError(f"no index in {folder} (no {HEADER}); {FIX}")
    content = read_json(folder / HEADER, "header of the index", hint=FIX)
    try:
        return _parse_header(content)
    except ValueError as error:
        raise UserError(f"{folder / HEADER} cannot be used: {error}; {FIX}") from error


def _parse_header(content: Any) -> IndexHeader:
    content = expect({"content": content}, "content", OBJECT)
    if content.get("format") != FORMAT:
        raise ValueError(f"it is of format {str(content.get('format')):.60}; expected {FORMAT}")
    texts = ("root", "model", "detector_hash", "teacher", "teacher_hash")
    values = {key: expect(content, key, TEXT) for key in texts}
    return IndexHeader(**values, regions=expect(content, "regions", SIZE))


def write_images(path: Path, records: Iterable[ImageRecord]) -> None:
    """Write the list of a part's images, complete or not at all."""
    write_json(path, {"format": FORMAT, "images": [asdict(r) for r in records]}, indent=None)


def read_images(path: Path) -> list[ImageRecord]:
    """Read the list of a part's images.

    Raises:
        UserError: it is damaged or of another version.
    """
    content = read_json(path, "list of the images of an index", hint=FIX)
    try:
        content = expect({"content": content}, "content", OBJECT)
        if content.get("format") != FORMAT:
            raise ValueError(f"it is of format {str(content.get('format')):.60}, not {FORMAT}")
        records = expect(content, "images", list_of(RECORD))
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}); {FIX}") from error
    return [ImageRecord(**record) for record in records]


def latest_records(parts: Sequence[Sequence[ImageRecord]]) -> dict[str, ImageRecord]:
    """Return the last record of each file: a file that has changed is in a later part again."""
    return {record.file: record for part in parts for record in part}
