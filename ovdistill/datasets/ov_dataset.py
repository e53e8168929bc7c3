"""Detection data in COCO or LVIS format, seen through a vocabulary with base and novel words."""

from __future__ import annotations

import os.path as osp
from collections import defaultdict
from pathlib import Path
from typing import Literal

from mmdet.datasets import BaseDetDataset
from mmdet.registry import DATASETS

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import Annotations, read_annotations
from ovdistill.vocabulary import Vocabulary, clean_name


@DATASETS.register_module()
class OVDataset(BaseDetDataset):
    """Images with boxes and masks of the words of a vocabulary.

    Labels index the vocabulary. Novel words keep their index but lose their annotations in
    training: their objects are in the images, unlabelled, as in OV-LVIS and OV-COCO.

    Args:
        vocabulary: a ``Vocabulary`` or the path of its file; its names are the category names of
            the annotation file, cleaned or as they are (the file may have more).
        labelled: 'base' drops the annotations of novel words; 'all' keeps every one (testing,
            and the oracle that is trained on all classes).
        class_agnostic: every label is 0, for networks that tell objects from background only.
        indices: an int n keeps the first n images, a list keeps those.
        **kwargs: as mmdet's ``BaseDetDataset`` (``ann_file``, ``data_root``, ``data_prefix``,
            ``pipeline``, ``filter_cfg`` with ``filter_empty_gt`` and ``min_size``).

    ``metainfo`` has ``classes``, ``is_base``, ``frequency`` and ``cat_ids``, all in label order.
    """

    def __init__(
        self,
        *args,
        vocabulary: Vocabulary | str | Path,
        labelled: Literal["base", "all"] = "base",
        class_agnostic: bool = False,
        **kwargs,
    ) -> None:
        if labelled not in ("base", "all"):
            raise UserError(f"got labelled={labelled!r}; expected 'base' or 'all'.")
        if not isinstance(vocabulary, Vocabulary):
            vocabulary = Vocabulary.load(vocabulary)
        self.vocabulary = vocabulary
        self.labelled = labelled
        self.class_agnostic = class_agnostic
        super().__init__(*args, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Reads the annotation file into mmdet's records, one an image."""
        annotations = read_annotations(self.ann_file)
        names = self.vocabulary.names
        cat_ids = self._cat_ids(annotations)
        is_base = tuple(self.vocabulary.is_base.tolist())
        self._metainfo.update(
            classes=names,
            is_base=is_base,
            cat_ids=cat_ids,
            frequency=self.vocabulary.frequency,
        )
        label_of = {
            cat_id: label
            for label, (cat_id, base) in enumerate(zip(cat_ids, is_base, strict=True))
            if base or self.labelled == "all"
        }
        return [
            self._record(image, annotations.by_image.get(image["id"], ()), label_of)
            for image in annotations.images
        ]

    def _cat_ids(self, annotations: Annotations) -> tuple[int, ...]:
        """Category id of each word: of the same name, or of the one that is the same when cleaned.

        So a list of names in another spelling ("hot dog" for "hot_dog") serves a file as well.
        """
        cleaned = defaultdict(list)
        for name, category in annotations.categories.items():
            cleaned[clean_name(name)].append(category["id"])
        cat_ids, unknown = [], []
        for name in self.vocabulary.names:
            same = annotations.categories.get(name)
            found = [same["id"]] if same else cleaned[clean_name(name)]
            if len(found) == 1 and found[0] not in cat_ids:
                cat_ids += found
            else:
                unknown.append(name)
        if unknown:
            raise UserError(
                f"{len(unknown)} of the {len(self.vocabulary)} words of the vocabulary are not "
                f"categories of {annotations.path} (the first: {unknown[0]!r}); that file has "
                f"{len(annotations.categories)} categories. Build the vocabulary from this file: "
                f"ovdistill vocab build --names {annotations.path} --teacher "
                f"{self.vocabulary.teacher} -o FILE"
            )
        return tuple(cat_ids)

    def _record(self, image: dict, annotations: list[dict], label_of: dict[int, int]) -> dict:
        width, height = image["width"], image["height"]
        instances = []
        for annotation in annotations:
            label = label_of.get(annotation["category_id"])
            x, y, w, h = annotation["bbox"]
            inside_w = min(x + w, width) - max(x, 0)
            inside_h = min(y + h, height) - max(y, 0)
            # the size rule of mmdet's COCO and LVIS datasets
            if label is None or annotation["area"] <= 0 or min(w, h) < 1:
                continue
            if inside_w <= 0 or inside_h <= 0:
                continue
            instance = dict(
                bbox=[x, y, x + w, y + h],
                bbox_label=0 if self.class_agnostic else label,
                ignore_flag=int(annotation.get("iscrowd", 0)),
            )
            if annotation.get("segmentation"):
                instance["mask"] = annotation["segmentation"]
            instances.append(instance)
        return dict(
            img_path=osp.join(self.data_prefix["img"], image["file_name"]),
            img_id=image["id"],
            height=height,
            width=width,
            instances=instances,
        )

    def filter_data(self) -> list[dict]:
        """In training, drops small images and, with ``filter_empty_gt``, those without a box."""
        if self.test_mode or not self.filter_cfg:
            return self.data_list
        drop_empty = self.filter_cfg.get("filter_empty_gt", False)
        min_size = self.filter_cfg.get("min_size", 0)
        return [
            record
            for record in self.data_list
            if min(record["width"], record["height"]) >= min_size
            and (record["instances"] or not drop_empty)
        ]
