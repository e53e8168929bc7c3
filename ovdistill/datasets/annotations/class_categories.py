"""Find the categories of an annotation file that are the classes of a vocabulary."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ovdistill.core.class_names import clean_name
from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations.reader import Annotations
from ovdistill.datasets.annotations.values import Record

NO_CATEGORY = -1  # no file has it, see ``ids``


def label_categories(
    names: Sequence[str], categories: Mapping[str, Record], vocabulary: object, annotations: object
) -> dict[int, int]:
    """Return the row of each category of a file that has one of the class names, by its id.

    Args:
        names: W class names.
        categories: category records by name, see ``find_categories``.
        vocabulary: where the names are from, for the message.
        annotations: where the categories are from, for the message.

    Raises:
        UserError: no category has one of the names.
    """
    rows = enumerate(find_categories(names, categories))
    labels = {cat_id: row for row, cat_id in rows if cat_id is not None}
    if not labels:
        raise UserError(
            f"none of the {len(names)} class names of {vocabulary} is a category of {annotations} "
            f"(the first names: {', '.join(map(repr, names[:3])) or 'there are none'})"
        )
    return labels


def find_categories(names: Sequence[str], categories: Mapping[str, Record]) -> list[int | None]:
    """Return the category id of each class name; None for a name that no category has.

    A category of exactly the same name comes first, then one whose cleaned name is the same. So a
    vocabulary in another spelling ("hot dog" for "hot_dog") fits the file too. A category is found
    once only, and a cleaned name that several categories share is none.

    Args:
        names: W class names.
        categories: category records by name, each with ``id``.
    """
    cleaned: dict[str, list[int]] = defaultdict(list)
    for name, category in categories.items():
        cleaned[clean_name(name)].append(category["id"])
    found: list[int | None] = []
    taken: set[int] = set()
    for name in names:
        same = categories.get(name)
        ids = [same["id"]] if same else cleaned[clean_name(name)]
        if len(ids) == 1 and ids[0] not in taken:
            found.append(ids[0])
            taken.add(ids[0])
        else:
            found.append(None)
    return found


def require_categories(
    names: Sequence[str],
    annotations: Annotations,
    teacher: str,
    needed: Sequence[bool] | None = None,
) -> tuple[int, ...]:
    """Return the category id of each class of a vocabulary, see ``find_categories``.

    A class that the file may lack, and does, has the category id ``NO_CATEGORY``.

    Args:
        names: W class names.
        annotations: the annotation file.
        teacher: name of the vocabulary's teacher, for the message.
        needed: (W,) False for a class that the file may lack (default: none may).

    Raises:
        UserError: a class name that is needed and no category of the file.
    """
    cat_ids = find_categories(names, annotations.categories)
    rows = zip(names, cat_ids, needed or [True] * len(names), strict=True)
    unknown = [name for name, found, need in rows if found is None and need]
    if unknown:
        raise UserError(
            f"{len(unknown)} of the {len(names)} names of the vocabulary are not categories of "
            f"{annotations.path} (the first: {unknown[0]!r}); that file has "
            f"{len(annotations.categories)} categories. Expected a file that has them, such as "
            "val_ann=FILE of a config, or a vocabulary of this file's classes, by teacher "
            f"{teacher}: ovdistill vocab build --names {annotations.path} --config CONFIG -o FILE"
        )
    return tuple(NO_CATEGORY if cat_id is None else cat_id for cat_id in cat_ids)
