"""Images with labelled boxes in COCO's or LVIS's format."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np

from ovdistill.core.class_names import clean_name
from ovdistill.core.errors import UserError
from ovdistill.core.images import read_image
from ovdistill.datasets.annotations import read_annotations
from ovdistill.datasets.annotations.captions import ImageNames, read_captions
from ovdistill.teacher_training.data.registry import register_source
from ovdistill.teacher_training.data.source import Pair, PairSource

LOGGER = logging.getLogger(__name__)


class _Record(NamedTuple):
    """An image with boxes; ``size`` is its height and width."""

    file_name: str
    size: tuple[int, int]
    boxes: np.ndarray
    phrases: tuple[str, ...]
    captions: list[str]


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
        listed = ImageNames.of_records(found.path, found.images)
        texts = {} if captions is None else read_captions(captions, listed)
        self.images = Path(images)
        self.records: list[_Record] = []
        for image in found.images:
            objects = [o for o in found.by_image.get(image["id"], []) if not o["iscrowd"]]
            if objects:
                xywh = np.array([o["bbox"] for o in objects], np.float32)
                boxes = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
                phrases = tuple(names[o["category_id"]] for o in objects)
                size = image["height"], image["width"]
                own = texts.get(image["id"], [])
                self.records.append(_Record(str(image["file_name"]), size, boxes, phrases, own))
        if not self.records:
            raise UserError(f"{found.path} has no image with a box; expected some")
        without = len(found.images) - len(self.records)
        silent = sum(not record.captions for record in self.records) if captions else 0
        if without or silent:
            LOGGER.warning(
                "%s: %d of %d images have no box and are left out; %d have no caption, and their "
                "class names in its place",
                *(found.path, without, len(found.images), silent),
            )

    def __len__(self) -> int:
        return len(self.records)

    def load(self, index: int, rng: np.random.Generator) -> Pair:
        """Load an image, its text and its boxes, see ``PairSource``."""
        own = self.records[index]
        if own.captions:
            text = own.captions[rng.integers(len(own.captions))]
        else:
            text = ", ".join(rng.permutation(sorted(set(own.phrases))).tolist())
        image = read_image(self.images / own.file_name, own.size)
        return Pair(image, text, boxes=own.boxes, phrases=own.phrases)
