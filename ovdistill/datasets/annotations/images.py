"""The rules for image records of annotation files."""

from __future__ import annotations

import os.path
from pathlib import Path, PureWindowsPath
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.core.images import MAX_PIXELS
from ovdistill.datasets.annotations.ids import image_number
from ovdistill.datasets.annotations.report import Report
from ovdistill.datasets.annotations.values import Record, is_text, shown, to_whole_number

IMAGE_KEYS = frozenset({"id", "width", "height"})
OUTSIDE = (
    "make the file names relative to the image folder, or allow this with "
    "allow_outside_images=True (an option of OVDataset; --allow-outside-images of commands)"
)


def read_images(
    records: list[Any], path: Path, report: Report, *, allow_outside: bool = False
) -> dict[int, Any]:
    """Bring the image records of a file into one form, in place.

    After it, each has a whole number as ``id``, ``width`` and ``height``, and a ``file_name`` with
    forward slashes.

    Args:
        records: the records, as they were read.
        path: the file, for messages.
        report: where problems are counted.
        allow_outside: take file names that are absolute or lead out of the image folder.

    Returns:
        The ids as the file has them, by number, in file order.

    Raises:
        UserError: a record without what it must have, or an id that occurs twice.
    """
    ids: dict[int, Any] = {}
    names: set[str] = set()
    for record in records:
        check_keys(record, IMAGE_KEYS, "image", path)
        original = record["id"]
        record["id"] = new_id(original, ids, "image", path)
        where = f"image {shown(original)} of {path}"
        if type(original) is not int or original != record["id"]:
            report.add("image_number", where, f"id {shown(original)}: {record['id']}")
        _check_size(record, where)
        record["file_name"] = name = _file_name(record, where, report)
        if not allow_outside and is_outside(name):
            raise UserError(
                f"{where} has file name {shown(name)}, which is not in its folder: {OUTSIDE}."
            )
        if name in names:
            report.add("same_file", where, f"file name {shown(name)}, as another image has")
        names.add(name)
    return ids


def new_id(value: Any, ids: dict[int, Any], kind: str, path: Path) -> int:
    """Return the number of a record's id, and note it in ``ids``.

    Args:
        value: the id as the file has it.
        ids: the original ids so far, by number.
        kind: 'image' or 'category', for messages.
        path: the file, for messages.

    Raises:
        UserError: no id, or one that occurs twice.
    """
    try:
        number = image_number(value)
    except UserError:
        raise UserError(
            f"{path} has {kind} ids such as {shown(value)}; expected numbers or text."
        ) from None
    if number in ids:
        raise UserError(
            f"{kind} ids occur more than once in {path} (the first: {shown(value)}, which is the "
            f"same as {shown(ids[number])}); expected each once."
        )
    ids[number] = value
    return number


def check_keys(record: Any, keys: frozenset[str], kind: str, path: Path) -> None:
    """Raise UserError unless a record is an object that has these keys.

    Args:
        record: the record, as it was read.
        keys: what it must have.
        kind: what it is, for the message: 'image', 'category', ...
        path: the file, for the message.
    """
    if not isinstance(record, dict):
        raise UserError(f"{path} has a {kind} {shown(record)}; expected an object.")
    if not keys <= record.keys():
        missing = ", ".join(sorted(keys - record.keys()))
        name = record.get("id", record.get("file_name"))
        raise UserError(
            f"{kind} {name if type(name) is int else shown(name)} of {path} has no {missing}; "
            f"COCO's format has {', '.join(sorted(keys))}."
        )


def is_outside(name: str) -> bool:
    """Return True for a file name that is absolute or leads out of the folder it is in."""
    if os.path.isabs(name) or PureWindowsPath(name).drive:
        return True
    return os.path.normpath(name).split("/", 1)[0] == ".."


def _check_size(record: Record, where: str) -> None:
    """Replace width and height by whole numbers; raise UserError for what no image can have."""
    for key in ("width", "height"):
        side = to_whole_number(record[key])
        if side is None or not 0 < side <= MAX_PIXELS:
            raise UserError(
                f"{where} has {key} {shown(record[key])}; expected its pixels, a whole number "
                "above 0."
            )
        record[key] = side
    if record["width"] * record["height"] > MAX_PIXELS:
        raise UserError(
            f"{where} has width {record['width']} and height {record['height']}; expected at most "
            f"{MAX_PIXELS:,} pixels in all."
        )


def _file_name(record: Record, where: str, report: Report) -> str:
    """Return the file name, of LVIS images the last two parts of their ``coco_url``."""
    key = "file_name"
    if record.get(key) is None:
        key = "coco_url"
    name = record.get(key)
    if name is None:
        raise UserError(f"{where} has no file_name and no coco_url; expected the name of its file.")
    if not is_text(name) or not name.strip() or "\0" in name:
        raise UserError(f"{where} has {key} {shown(name)}; expected the name of its file.")
    if key == "coco_url":
        return "/".join(name.split("/")[-2:])
    if "\\" not in name:
        return name
    report.add("backslash", where, f"file name {shown(name)}")
    return name.replace("\\", "/")
