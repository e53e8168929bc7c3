"""Images with labelled boxes in COCO's or LVIS's format."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

import numpy as np

from ovdistill.core.class_names import clean_name
from ovdistill.core.errors import UserError
from ovdistill.core.images import read_image
from ovdistill.datasets.annotations import read_annotations, read_captions
from ovdistill.teacher_training.data.registry import register_source
from ovdistill.teacher_training.data.source import Pair, PairSource


@register_source
class CocoBoxes(PairSource):
    """Images with boxes, whose phrases are the class names; crowds are left out.

    The text of an image is one of its captions, or the names of its classes in random order.

    Args:
        annotations: the file of the boxes.
        images: the folder of the images.
        captions: a file of captions of these images in COCO's format; None: no captions.
        weight: see ``PairSource``.

    Raises:
        UserError: a file that is not in that format, or no image with a box.
    """

    provides: ClassVar[tuple[str, ...]] = ("images", "texts", "views", "boxes")

    def __init__(
        self,
        annotations: str | os.PathLike[str],
        images: str | os.PathLike[str],
        captions: str | os.PathLike[str] | None = None,
        weight: float | None = None,
    ) -> None:
        super().__init__(weight)
        found = read_annotations(annotations)
        names = {record["id"]: clean_name(name) for name, record in found.categories.items()}
        texts = {} if captions is None else read_captions(Path(captions))
        self.images = Path(images)
        self.records: list[tuple[str, np.ndarray, tuple[str, ...], list[str]]] = []
        for image in found.images:
            objects = [o for o in found.by_image.get(image["id"], []) if not o["iscrowd"]]
            if objects:
                xywh = np.array([o["bbox"] for o in objects], np.float32)
                boxes = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
                phrases = tuple(names[o["category_id"]] for o in objects)
                own = texts.get(image["id"], [])
                self.records.append((str(image["file_name"]), boxes, phrases, own))
        if not self.records:
            raise UserError(f"{found.path} has no image with a box; expected some")

    def __len__(self) -> int:
        return len(self.records)

    def load(self, index: int, rng: np.random.Generator) -> Pair:
        """Load an image, its text and its boxes, see ``PairSource``."""
        name, boxes, phrases, captions = self.records[index]
        if captions:
            text = captions[rng.integers(len(captions))]
        else:
            text = ", ".join(rng.permutation(sorted(set(phrases))).tolist())
        return Pair(read_image(self.images / name), text, boxes=boxes, phrases=phrases)
