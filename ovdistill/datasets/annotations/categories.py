"""The rules for category records of annotation files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ovdistill.core.class_names import clean_name
from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations.ids import image_number
from ovdistill.datasets.annotations.images import check_keys, new_id
from ovdistill.datasets.annotations.report import Report
from ovdistill.datasets.annotations.values import Record, is_text, shown

CATEGORY_KEYS = frozenset({"id", "name"})


def read_categories(
    records: list[Any], annotations: list[Any], path: Path, report: Report
) -> tuple[dict[str, Record], dict[int, Any]]:
    """Bring the category records of a file into one form, in place.

    Args:
        records: the records, as they were read.
        annotations: the annotation records, as they were read.
        path: the file, for messages.
        report: where problems are counted.

    Returns:
        The records by name, in file order, each with a whole number as ``id``; and the ids as the
        file has them, by number.

    Raises:
        UserError: a record without id or name, or an id or a name that occurs twice.
    """
    for record in records:
        check_keys(record, CATEGORY_KEYS, "category", path)
        if not is_text(record["name"]) or not clean_name(record["name"]):
            raise UserError(
                f"category {shown(record['id'])} of {path} has name {shown(record['name'])}; "
                "expected text."
            )
    root = root_category(records, annotations)
    if root is not None:
        what = f"supercategory {root.get('supercategory')!r}; it is that of all other categories"
        report.add("root_category", f"category {shown(root['name'])} of {path}", what)
    ids: dict[int, Any] = {}
    found: dict[str, Record] = {}
    for record in records:
        if record is root:
            continue
        original = record["id"]
        record["id"] = new_id(original, ids, "category", path)
        where = f"category {shown(record['name'])} of {path}"
        if type(original) is not int or original != record["id"]:
            report.add("category_number", where, f"id {shown(original)}: {record['id']}")
        if record["name"] in found:
            raise UserError(
                f"category names occur more than once in {path} (the first: "
                f"{shown(record['name'])}); expected each once."
            )
        found[record["name"]] = record
    _count_twins(found, path, report)
    return found, ids


def root_category(categories: list[Any], annotations: Any) -> Record | None:
    """Return the category that Roboflow adds above all others; None if there is none.

    Its name is the supercategory of every other category, it has none itself, and no annotation.

    Args:
        categories: the category records of a file.
        annotations: its annotation records, a list if the file has some.
    """
    records = [category for category in categories if isinstance(category, dict)]
    above = {r["supercategory"] for r in records if is_text(r.get("supercategory"))}
    tops = [r for r in records if r.get("supercategory") in (None, "", "none")]
    # a class may have the root's name: it is told by the supercategory, which the root lacks
    roots = [r for r in tops if is_text(r.get("name")) and r["name"] in above]
    if len(records) < len(categories) or len(records) < 2 or len(roots) != 1:
        return None
    (root,) = roots
    if any(r.get("supercategory") != root["name"] for r in records if r is not root):
        return None
    return None if _is_used(root.get("id"), annotations) else root


def twins(names: Iterable[str]) -> dict[str, str]:
    """Return the names that are another spelling of an earlier one, as "Night_stand" can be.

    Args:
        names: category names, in file order.

    Returns:
        The earlier name, by the later one.
    """
    first: dict[str, str] = {}
    later: dict[str, str] = {}
    for name in names:
        known = first.setdefault(clean_name(name), name)
        if known != name:
            later[name] = known
    return later


def count_empty(
    categories: dict[str, Record], used: Counter[int], path: Path, report: Report
) -> None:
    """Count the categories without an annotation, where others have some.

    Args:
        categories: the records by name.
        used: number of annotations by category id.
        path: the file, for messages.
        report: where they are counted.
    """
    for name, record in categories.items():
        if used and not used[record["id"]]:
            report.add("empty_category", f"category {shown(name)} of {path}", "no annotation")


def _count_twins(found: dict[str, Record], path: Path, report: Report) -> None:
    for name, earlier in twins(found).items():
        report.add("twins", f"category {shown(name)} of {path}", f"the name {shown(earlier)} too")


def _is_used(root_id: Any, annotations: Any) -> bool:
    """Return True if an annotation has the root's id; ids are compared by their numbers."""
    try:
        number = image_number(root_id)
    except UserError:
        return False
    spellings = {number, root_id, str(number)}
    for record in annotations if isinstance(annotations, list) else ():
        got = record.get("category_id") if isinstance(record, dict) else None
        if isinstance(got, (int, float, str)) and got in spellings:
            return True
    return False
