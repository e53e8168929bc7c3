"""A data set in COCO or LVIS format, labelled by a vocabulary of base and novel classes."""

from __future__ import annotations

import logging
import os.path as osp
from pathlib import Path
from typing import Any

from mmdet.datasets import BaseDetDataset
from mmdet.registry import DATASETS

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import (
    Annotations,
    Record,
    check_crowds,
    read_annotations,
)
from ovdistill.datasets.annotations.boxes import is_large_enough
from ovdistill.datasets.annotations.class_categories import require_categories
from ovdistill.datasets.labelled_classes import Labelled, labelled_classes
from ovdistill.vocabulary import Vocabulary

LOGGER = logging.getLogger(__name__)


@DATASETS.register_module()
class OVDataset(BaseDetDataset):
    """Images with boxes and masks of the classes of a vocabulary.

    Labels are rows of the vocabulary. Novel classes keep their label but lose their annotations in
    training: their objects are in the images, unlabelled, as in OV-LVIS and OV-COCO.

    Args:
        *args: as mmdet's ``BaseDetDataset``.
        vocabulary: a ``Vocabulary`` or the path of its file; its names must be category names of
            the annotation file, which may have more categories. Only classes whose annotations
            are used must be there: a file of base classes alone may lack the novel ones, unless
            ``labelled`` is 'all'. Names are compared as they are, then cleaned.
        labelled: 'base' drops the annotations of novel classes; 'all' keeps every one (testing,
            and the oracle that is trained on all classes); 'none' drops every one, for images that
            distillation terms alone learn from: they are marked as ``image_level``. A list of base
            class names keeps their annotations and drops all others, for a file that labels a part
            of the classes.
        class_agnostic: every label is 0, for networks that tell objects from background only.
        allow_outside_images: take file names that are absolute or lead out of the image folder.
        **kwargs: as mmdet's ``BaseDetDataset``: ``ann_file``, ``data_root``, ``data_prefix``,
            ``pipeline``, ``filter_cfg`` with ``filter_empty_gt`` and ``min_size``, ``indices`` (an
            int n keeps the first n images, a list keeps the images of these indices).

    ``metainfo`` has ``classes``, ``is_base``, ``frequency`` and ``cat_ids``, all in label order; a
    class that the file lacks has the category id ``NO_CATEGORY``.

    Raises:
        UserError: a name of the vocabulary that is not a category of the file, a file to train on
            whose annotations are all crowds or, where the pipeline loads masks, have none; no image
            that is left; or see ``labelled_classes``, ``Vocabulary.load`` and ``read_annotations``.
    """

    def __init__(
        self,
        *args: Any,
        vocabulary: Vocabulary | str | Path,
        labelled: Labelled = "base",
        class_agnostic: bool = False,
        allow_outside_images: bool = False,
        **kwargs: Any,
    ) -> None:
        if not isinstance(vocabulary, Vocabulary):
            vocabulary = Vocabulary.load(vocabulary)
        self.vocabulary = vocabulary
        self.labelled = labelled
        self.is_labelled = labelled_classes(vocabulary, labelled)
        self.class_agnostic = class_agnostic
        self.allow_outside_images = allow_outside_images
        super().__init__(*args, **kwargs)

    def load_data_list(self) -> list[dict[str, Any]]:
        """Load the annotation file as mmdet's records, one for each image."""
        annotations = read_annotations(
            self.ann_file, allow_outside_images=self.allow_outside_images
        )
        if not self.test_mode and self.labelled != "none":
            self._check_training(annotations)
        names = self.vocabulary.names
        cat_ids = require_categories(
            names, annotations, self.vocabulary.teacher.name, self.is_labelled
        )
        self._metainfo.update(
            classes=names,
            is_base=tuple(self.vocabulary.is_base.tolist()),
            cat_ids=cat_ids,
            frequency=self.vocabulary.frequency,
        )
        label_of = {
            cat_id: label
            for label, (cat_id, used) in enumerate(zip(cat_ids, self.is_labelled, strict=True))
            if used
        }
        return [
            self._record(image, annotations.by_image.get(image["id"], []), label_of)
            for image in annotations.images
        ]

    def _check_training(self, annotations: Annotations) -> None:
        """Raise UserError if there is nothing to learn; warn if that is so for some of it."""
        check_crowds(annotations)
        missing = len(annotations.annotations) - annotations.masks
        if not missing or not any(getattr(t, "with_mask", False) for t in self.pipeline.transforms):
            return
        if not annotations.masks:
            raise UserError(
                f"{annotations.path} has no masks that can be used, and the pipeline loads masks: "
                "take a config without a mask head (ovdistill init-dataset writes one)."
            )
        LOGGER.warning(
            "%d of the %d annotations of %s have no mask: they are no objects, since the pipeline "
            "loads masks; whether they are background is the ignore_iof_thr of the assigner",
            *(missing, len(annotations.annotations), annotations.path),
        )

    def _record(
        self, image: Record, annotations: list[Record], label_of: dict[int, int]
    ) -> dict[str, Any]:
        """Return mmdet's record of an image."""
        size = (image["width"], image["height"])
        used = [
            annotation
            for annotation in annotations
            if annotation["category_id"] in label_of and is_large_enough(annotation["bbox"], size)
        ]
        return dict(
            img_path=osp.join(self.data_prefix.get("img", ""), image["file_name"]),
            img_id=image["id"],
            height=image["height"],
            width=image["width"],
            instances=[self._instance(a, label_of[a["category_id"]]) for a in used],
            image_level=self.labelled == "none",
        )

    def _instance(self, annotation: Record, label: int) -> dict[str, Any]:
        """Return mmdet's instance of an annotation.

        Without a mask it gets one of no polygons: mmdet marks it as ignored where masks are loaded.
        """
        x, y, w, h = annotation["bbox"]
        return dict(
            bbox=[x, y, x + w, y + h],
            bbox_label=0 if self.class_agnostic else label,
            ignore_flag=annotation["iscrowd"],
            mask=annotation.get("segmentation", []),
        )

    def filter_data(self) -> list[dict[str, Any]]:
        """Drop small images in training and, with ``filter_empty_gt``, those without a box.

        With ``labelled='none'``, where no image has one, ``filter_empty_gt`` does nothing.

        Raises:
            UserError: no image is left.
        """
        rules = {} if self.test_mode else self.filter_cfg or {}
        drop_empty = rules.get("filter_empty_gt", False) and self.labelled != "none"
        min_size = rules.get("min_size", 0)
        large = [r for r in self.data_list if min(r["width"], r["height"]) >= min_size]
        left = [record for record in large if record["instances"] or not drop_empty]
        if not self.data_list:
            raise UserError(f"{self.ann_file} has no images; expected at least one.")
        if not left:
            kind = "base" if self.labelled == "base" else "labelled"
            raise UserError(
                f"0 of {len(self.data_list)} images of {self.ann_file} are left: "
                f"{len(self.data_list) - len(large)} are smaller than {min_size} pixels, "
                f"{len(large)} have no box of a {kind} class. filter_cfg of the data set says what "
                "is left out (min_size, filter_empty_gt)."
            )
        return left
