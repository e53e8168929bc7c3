"""SegmentationDataset: images with label maps, whose classes are those of a vocabulary."""

from __future__ import annotations

import os.path as osp
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmdet.datasets import BaseSegDataset
from mmdet.datasets.transforms import Pad
from mmdet.registry import DATASETS

from ovdistill.core.errors import UserError
from ovdistill.datasets.labelled_classes import Labelled, labelled_classes
from ovdistill.datasets.names.label_table import LabelTable, load_label_table
from ovdistill.segmentation.data.image_files import missing_files, names_in_folder, read_list
from ovdistill.segmentation.data.label_map import IGNORE
from ovdistill.segmentation.data.label_maps import LabelMaps
from ovdistill.segmentation.data.vocabulary_lookup import vocabulary_lookup
from ovdistill.vocabulary import Vocabulary


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
            and ``seg_map_path``, ``ann_file`` (a list of names, see ``read_list``; '' takes all
            images of the folder and of those below it that end with ``img_suffix``),
            ``img_suffix`` '.jpg', ``seg_map_suffix`` '.png', ``pipeline``, ``test_mode``.

    Raises:
        UserError: no list, no images, images without a label map, no class of the vocabulary that
            has labels, a transform that pads label maps with a class; or see
            ``load_label_table`` and ``labelled_classes``.
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
        self.label_lookup = vocabulary_lookup(table, self.vocabulary.names, self.is_labelled)
        self._metainfo["label_values"] = label_values(table, self.vocabulary.names)
        records = self.load_records()
        if not records:
            raise UserError(
                f"no images *{self.img_suffix} in {self.data_prefix.get('img_path')}; expected "
                "some. Check data_root, data_prefix and img_suffix."
            )
        maps = [record["seg_map_path"] for record in records if "seg_map_path" in record]
        if missing := missing_files(maps):
            raise UserError(
                f"{len(missing)} of {len(maps)} label maps are missing, the first is {missing[0]}; "
                "expected one for each image. Check data_root, data_prefix and seg_map_suffix, or "
                "take the others out of the list of images (ann_file)."
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
        maps = self.data_prefix.get("seg_map_path") or ""
        # a folder of both has images that are label maps
        tell = osp.abspath(images) != osp.abspath(maps)
        names = (
            read_list(self.ann_file)
            if self.ann_file
            else names_in_folder(images, self.img_suffix, tell=tell)
        )
        return [
            dict(
                img_path=osp.join(images, name + self.img_suffix),
                seg_map_path=osp.join(maps, name + self.seg_map_suffix),
                img_id=osp.normpath(name),
            )
            for name in names
        ]

    def get_data_info(self, idx: int) -> dict[str, Any]:
        """Return a record, with the lookup that all of them share."""
        return super().get_data_info(idx) | {"label_lookup": self.label_lookup}

    def label_maps(self) -> LabelMaps:
        """Return what predictions for all images are scored against.

        Raises:
            UserError: a data set for training.
        """
        if not self.test_mode:
            raise UserError(
                "got a data set for training, which ignores classes; expected test_mode"
            )
        records = [self.get_data_info(index) for index in range(len(self))]
        return LabelMaps(records, self.vocabulary.names, self.metainfo["is_base"])


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
