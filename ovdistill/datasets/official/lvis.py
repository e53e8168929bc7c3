"""Writes OV-LVIS: the training file of LVIS v1 without annotations of its rare categories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ovdistill.core.urls import LVIS
from ovdistill.datasets.annotations import CATEGORY_KEYS, Record
from ovdistill.datasets.official.instances import InstanceCounts, count_instances, write_instances
from ovdistill.datasets.official.output import noted_counts
from ovdistill.datasets.official.report import Row
from ovdistill.datasets.official.source import SourceFile
from ovdistill.vocabulary.splits import RARE

BASE, NOVEL = 866, 337  # categories of LVIS v1
TRAIN_IMAGES, VAL_IMAGES = 100_170, 19_809
LVIS_CATEGORY_KEYS = CATEGORY_KEYS | {"frequency"}
VERSION = 1  # of the written file; raise it when the same source gives another file


def prepare_lvis(train: Path, val: Path, folder: Path, *, force: bool = False) -> list[Row]:
    """Check both files of LVIS v1 and write the base annotations of the training file.

    In ``{folder}/{name of train}_base.json``:

    - The annotations of rare categories are left out, all others are unchanged.
    - All images are there, also those that are left without an annotation. Their
      ``neg_category_ids`` and ``not_exhaustive_category_ids`` are unchanged, rare ones included:
      they say how an image was searched, not where an object is, and the federated evaluation of
      base categories on this file needs them.
    - All 1203 categories are there, but ``image_count`` and ``instance_count`` are those of the
      written file, 0 for rare categories. Methods draw federated negatives in proportion to the
      counts; the official ones would tell them how often novel objects occur.

    Every method is evaluated on the official val file, so it is checked and not written again.

    Args:
        train: the LVIS v1 train annotations.
        val: the LVIS v1 val annotations.
        folder: where to write.
        force: write the file even if it is there.

    Returns:
        What was found and done: val, then train.

    Raises:
        UserError: a file is missing or damaged, or has other categories than LVIS v1.
    """
    source = _source(train, "train", TRAIN_IMAGES)
    origin = {"version": VERSION, "split": "lvis", "sources": {train.name: source.fingerprint()}}
    checked = _check(_source(val, "val", VAL_IMAGES))
    path = folder / f"{train.stem}_base.json"
    known = noted_counts(path, origin, force=force)
    if known is not None:
        return [checked, Row.unchanged(path, source, known)]
    categories = _categories(source)
    kept = {category["id"] for category in categories if category["frequency"] != RARE}
    found = count_instances(source, categories, kept)
    counts = found.counts(kept, base=BASE, novel=NOVEL)
    write_instances(path, source, origin, counts, _recounted(categories, found, kept), kept)
    return [checked, Row(path, source, counts, "written")]


def _source(path: Path, subset: str, images: int) -> SourceFile:
    return SourceFile(
        path, f"the LVIS v1 {subset} annotations", f"{LVIS}/lvis_v1_{subset}.json.zip", images
    )


def _check(source: SourceFile) -> Row:
    """Check a file that is not written again."""
    categories = _categories(source)
    every = {category["id"] for category in categories}
    counts = count_instances(source, categories, every).counts(every, base=BASE, novel=NOVEL)
    return Row(source.path, source, counts, "checked")


def _categories(source: SourceFile) -> list[Record]:
    """Return the categories; raise UserError unless they are as many as those of LVIS v1."""
    categories = list(source.records("categories", LVIS_CATEGORY_KEYS))
    ids = len({category["id"] for category in categories})
    rare = sum(category["frequency"] == RARE for category in categories)
    if (ids, len(categories) - rare, rare) != (BASE + NOVEL, BASE, NOVEL):
        raise source.error(
            f"has {ids} different categories: {len(categories) - rare} frequent or common and "
            f"{rare} rare; LVIS v1 has {BASE + NOVEL}: {BASE} and {NOVEL}"
        )
    return categories


def _recounted(categories: Sequence[Record], found: InstanceCounts, kept: set[int]) -> list[Record]:
    """Return the categories with the counts of the written file."""
    images = Counter(category for present in found.present.values() for category in present)
    return [
        {
            **category,
            "image_count": images[category["id"]],
            "instance_count": found.instances[category["id"]] if category["id"] in kept else 0,
        }
        for category in categories
    ]
