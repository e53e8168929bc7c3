"""Lists of names that have a name: the categories of LVIS and COCO."""

from __future__ import annotations

import os
from pathlib import Path

from ovdistill import mmcv_ops
from ovdistill.vocabulary.names import Names, read_names
from ovdistill.vocabulary.splits import COCO_BASE, COCO_NOVEL

LVIS_FREQUENCY = Path(__file__).with_name("lvis_v1_frequency.txt")
NAMED = {
    "lvis": "the 1203 of LVIS v1, with their frequencies",
    "coco": "the 48 base and 17 novel ones of OV-COCO",
    "coco80": "all 80 of COCO",
}


def find_names(source: str | os.PathLike[str]) -> Names:
    """A key of ``NAMED``, or whatever ``read_names`` reads; in the order of category ids.

    Raises:
        UserError: see ``read_names``.
    """
    if source == "lvis":
        return Names(_classes("LVISV1Dataset"), tuple(LVIS_FREQUENCY.read_text().strip()))
    if source == "coco80":
        return Names(_classes("CocoDataset"))
    if source == "coco":
        return find_names("coco80").only({*COCO_BASE, *COCO_NOVEL})
    return read_names(source)


def _classes(dataset: str) -> tuple[str, ...]:
    """The category names that mmdet has for a data set of its own."""
    mmcv_ops.install()
    from mmdet import datasets

    return getattr(datasets, dataset).METAINFO["classes"]
