"""Writes OV-COCO: COCO 2017 with the annotations of 48 base, or 48 base and 17 novel classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ovdistill.core.class_names import clean_name
from ovdistill.core.urls import COCO_ANNOTATIONS
from ovdistill.datasets.annotations import CATEGORY_KEYS, Record
from ovdistill.datasets.official.captions import write_captions_of
from ovdistill.datasets.official.instances import count_instances, write_instances
from ovdistill.datasets.official.output import noted_counts
from ovdistill.datasets.official.report import Row
from ovdistill.datasets.official.source import SourceFile
from ovdistill.vocabulary.splits import COCO_BASE, COCO_NOVEL

UNUSED = 15  # classes of COCO that are neither base nor novel
TRAIN_IMAGES, VAL_IMAGES = 118_287, 5_000
VERSION = 1  # of the written files; raise it when the same sources give other files


def prepare_coco(
    train: Path, val: Path, captions: Path | None, folder: Path, *, force: bool = False
) -> list[Row]:
    """Check the files of COCO 2017 and write those of OV-COCO.

    - ``{folder}/{name of train}_base.json``: annotations of the 48 base classes;
    - ``{folder}/{name of val}_ov.json``: annotations of the 65 base and novel classes;
    - ``{folder}/{name of captions}_ov.json``: captions of the train images, without white space
      at their ends. Empty ones are dropped.

    The first two hold all images, also those that are left without an annotation, and the entries
    of the 65 classes under their original ids. Records that are kept are not changed.

    Args:
        train: COCO's instances_train2017.json.
        val: COCO's instances_val2017.json.
        captions: COCO's captions_train2017.json; None writes no captions.
        folder: where to write.
        force: write the files even if they are there.

    Returns:
        What was found and done: train, val and, if there are any, captions.

    Raises:
        UserError: a file is missing or damaged, or has other classes than COCO.
    """
    source = SourceFile(train, "COCO's instances_train2017.json", COCO_ANNOTATIONS, TRAIN_IMAGES)
    test = SourceFile(val, "COCO's instances_val2017.json", COCO_ANNOTATIONS, VAL_IMAGES)
    title = "COCO's captions_train2017.json (or --no-captions)"
    texts = captions and SourceFile(captions, title, COCO_ANNOTATIONS, TRAIN_IMAGES)
    # read all files once first: one that is not there is an error before anything is written
    source_origin, test_origin = _origin(source), _origin(test)
    texts_origin = _origin(texts, source) if texts else {}
    outputs = (
        (source, source_origin, folder / f"{train.stem}_base.json", COCO_BASE),
        (test, test_origin, folder / f"{val.stem}_ov.json", (*COCO_BASE, *COCO_NOVEL)),
    )
    rows = [_write_instances(*output, force=force) for output in outputs]
    if texts:
        path = folder / f"{texts.path.stem}_ov.json"
        rows.append(write_captions_of(source, texts, texts_origin, path, force=force))
    return rows


def _origin(*sources: SourceFile) -> dict[str, Any]:
    """Return what a file is made from, as it is noted in the file."""
    prints = {source.path.name: source.fingerprint() for source in sources}
    return {"version": VERSION, "split": "coco", "sources": prints}


def _write_instances(
    source: SourceFile, origin: dict[str, Any], path: Path, names: Sequence[str], *, force: bool
) -> Row:
    """Write the annotations of the classes ``names``."""
    known = noted_counts(path, origin, force=force)
    if known is not None:
        return Row.unchanged(path, source, known)
    categories = list(source.records("categories", CATEGORY_KEYS))
    split, unused = _split(source, categories)
    kept = {category["id"] for category in split if clean_name(category["name"]) in names}
    counts = count_instances(source, categories, kept).counts(
        kept, base=len(COCO_BASE), novel=len(COCO_NOVEL), unused=unused
    )
    write_instances(path, source, origin, counts, split, kept)
    return Row(path, source, counts, "written")


def _split(source: SourceFile, categories: Sequence[Record]) -> tuple[list[Record], list[str]]:
    """Return the 65 categories that are base or novel, and the names of the other 15."""
    names = {*COCO_BASE, *COCO_NOVEL}
    split = [category for category in categories if clean_name(category["name"]) in names]
    unused = [c["name"] for c in categories if clean_name(c["name"]) not in names]
    missing = names.difference(clean_name(category["name"]) for category in split)
    if missing or len(split) != len(names) or len(unused) != UNUSED:
        lacks = f" (it lacks {', '.join(sorted(missing)[:5])})" if missing else ""
        raise source.error(
            f"has {len(split)} categories of the {len(COCO_BASE)} base and {len(COCO_NOVEL)} novel "
            f"ones{lacks} and {len(unused)} others; COCO has {len(names)} and {UNUSED}"
        )
    return split, unused
