"""Lists of names that have a name: the categories of LVIS and COCO."""

from __future__ import annotations

import os
from pathlib import Path

from ovdistill import mmcv_ops
from ovdistill.vocabulary.names import Names, read_names
from ovdistill.vocabulary.splits import COCO_BASE, COCO_NOVEL

LVIS_FREQUENCY = Path(__file__).with_name("lvis_v1_frequency.txt")


def find_names(source: str | os.PathLike[str]) -> Names:
    """Category names, in the order of their ids.

    Args:
        source: 'lvis', the 1203 of LVIS v1 as mmdet spells them, with their frequencies; 'coco80';
            'coco', the 48 base and 17 novel ones of OV-COCO; or see ``read_names``.

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
    return getattr(mmcv_ops.import_datasets(), dataset).METAINFO["classes"]
