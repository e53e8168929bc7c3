"""SegmentationDataset: images with label maps, whose classes are those of a vocabulary."""

from __future__ import annotations

import logging
import os.path as osp
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmdet.datasets import BaseSegDataset
from mmdet.datasets.transforms import Pad
from mmdet.registry import DATASETS

from ovdistill.core.errors import UserError
from ovdistill.datasets.label_table import LabelTable, load_label_table
from ovdistill.datasets.labelled_classes import Labelled, labelled_classes
from ovdistill.segmentation.data.label_map import IGNORE, UNLABELLED, lookup_of
from ovdistill.vocabulary import Vocabulary

LOGGER = logging.getLogger(__name__)


@DATASETS.register_module()
class SegmentationDataset(BaseSegDataset):
    """Images and label maps of the same names, in two folders.

    The classes and their order are those of the vocabulary, which need not be those of the label
    maps: pixels of a class that the vocabulary does not have are ignored, and a class name without
    labels has no pixel. Records have ``img_path``, ``seg_map_path`` and ``img_id``, the file name
    without suffix. One that is taken has ``label_lookup`` too, which ``LoadLabelMap`` applies. The
    metainfo has ``classes``, ``is_base`` and ``label_values``, each of W.

    Args:
        vocabulary: the W class names, or a file of them.
        labels: what the values of the label maps mean, see ``load_label_table``.
        labelled: in training, pixels of which classes are labelled; those of the vocabulary's
            others are ``UNLABELLED``. 'base', 'all', 'none' or a list of names of base classes.
            Testing takes all.
        **kwargs: as mmdet's ``BaseSegDataset``: ``data_root``, ``data_prefix`` with ``img_path``
            and ``seg_map_path``, ``ann_file`` (a list of names, one a line; '' takes all images of
            the folder), ``img_suffix`` '.jpg', ``seg_map_suffix`` '.png', ``pipeline``,
            ``test_mode``.

    Raises:
        UserError: no list, no images, no class of the vocabulary that has labels, a transform that
            pads label maps with a class; or see ``load_label_table`` and ``labelled_classes``.
    """

    def __init__(
        self,
        *,
        vocabulary: Vocabulary | str | Path,
        labels: str = "",
        labelled: Labelled = "base",
        test_mode: bool = False,
        **kwargs: Any,
    ) -> None:
        if not isinstance(vocabulary, Vocabulary):
            vocabulary = Vocabulary.load(vocabulary)
        self.vocabulary = vocabulary
        self.labels = labels
        self.is_labelled = labelled_classes(vocabulary, "all" if test_mode else labelled)
        self.label_lookup: np.ndarray | None = None
        metainfo = dict(classes=vocabulary.names, is_base=tuple(vocabulary.is_base.tolist()))
        super().__init__(metainfo=metainfo, test_mode=test_mode, **kwargs)
        _check_padding(self.pipeline.transforms)

    def load_data_list(self) -> list[dict[str, Any]]:
        """Return the records of all images, and read what the values of their maps mean."""
        table = self.load_table()
        self.label_lookup = self.make_lookup(table)
        self._metainfo["label_values"] = label_values(table, self.vocabulary.names)
        records = self.load_records()
        if not records:
            raise UserError(
                f"no images *{self.img_suffix} in {self.data_prefix.get('img_path')}; expected "
                "some. Check data_root, data_prefix and img_suffix."
            )
        return records

    def load_table(self) -> LabelTable:
        """Return what the values of the label maps mean."""
        return load_label_table(self.labels)

    def load_records(self) -> list[dict[str, Any]]:
        """Return a record for each image, with ``img_path``, ``seg_map_path`` and ``img_id``."""
        if self.ann_file and not osp.isfile(self.ann_file):
            raise UserError(f"no list of images {self.ann_file}; check data_root and ann_file.")
        images = self.data_prefix.get("img_path") or ""
        if not osp.isdir(images):
            raise UserError(f"no folder of images {images}; check data_root and data_prefix.")
        records = super().load_data_list()
        for record in records:
            del record["label_map"]  # mmdet's own way to change values
            record["img_id"] = osp.relpath(record["img_path"], images)[: -len(self.img_suffix)]
        return records

    def make_lookup(self, table: LabelTable) -> np.ndarray:
        """Return the row of each value, see ``lookup_of``; say what does not fit the vocabulary.

        Raises:
            UserError: no class of the vocabulary has a value.
        """
        rows = table.rows(self.vocabulary.names)
        if not rows:
            raise UserError(
                f"no class of the vocabulary ({', '.join(self.vocabulary.names[:5])}, ...) is in "
                f"the label table {table.source}: expected a vocabulary of its names, such as "
                "`ovdistill vocab build --names voc` makes, or another `labels`."
            )
        classes = [value for value, names in table.names.items() if names]
        if lost := [table.names[value][0] for value in classes if value not in rows]:
            LOGGER.info(
                "%d of the %d classes of the label table %s are not in the vocabulary (%s): their "
                "pixels are ignored",
                *(len(lost), len(classes), table.source, ", ".join(lost[:3])),
            )
        if bare := len(self.vocabulary) - len({*rows.values()}):
            LOGGER.info(
                "%d of the vocabulary's %d classes have no labels", bare, len(self.is_labelled)
            )
        used = {v: row if self.is_labelled[row] else UNLABELLED for v, row in rows.items()}
        return lookup_of(used, table.names)

    def get_data_info(self, idx: int) -> dict[str, Any]:
        """Return a record, with the lookup that all of them share."""
        return super().get_data_info(idx) | {"label_lookup": self.label_lookup}


def label_values(table: LabelTable, names: Sequence[str]) -> tuple[int, ...]:
    """Return the value of each class name in label map files, ``IGNORE`` for one without.

    Args:
        table: what the values mean.
        names: W class names.
    """
    values = [IGNORE] * len(names)
    for value, row in sorted(table.rows(names).items(), reverse=True):
        values[row] = value  # the smallest, where the vocabulary makes several classes one
    return tuple(values)


def _check_padding(transforms: list[Any]) -> None:
    """Raise UserError for mmdet's ``Pad`` with its own value of label maps, which is a class."""
    for transform in transforms:
        if isinstance(transform, Pad) and transform.pad_val.get("seg", 255) != IGNORE:
            raise UserError(
                f"Pad fills label maps with {transform.pad_val.get('seg', 255)}, which may be the "
                f"row of a class; expected pad_val=dict(img=0, seg={IGNORE})."
            )
