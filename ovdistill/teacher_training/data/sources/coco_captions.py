"""Images with captions in COCO's format."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.core.images import read_image
from ovdistill.datasets.annotations import read_sections
from ovdistill.datasets.annotations.captions import read_captions
from ovdistill.datasets.annotations.images import read_images
from ovdistill.datasets.annotations.report import Report
from ovdistill.teacher_training.data.registry import register_source
from ovdistill.teacher_training.data.source import Pair, PairSource

LOGGER = logging.getLogger(__name__)


@register_source
class CocoCaptions(PairSource):
    """Images with captions in COCO's format, such as captions_train2017.json.

    Args:
        annotations: the file, with ``images`` and ``annotations`` with captions.
        images: the folder of the images.
        weight: see ``PairSource``.

    Raises:
        UserError: the file is not in that format, or no image of it has a caption.
    """

    def __init__(
        self,
        annotations: str | os.PathLike[str],
        images: str | os.PathLike[str],
        weight: float | None = None,
    ) -> None:
        super().__init__(weight)
        path = Path(annotations)
        captions = {image: [*filter(None, own)] for image, own in read_captions(path).items()}
        records = read_sections(path, ("images",))["images"]
        read_images(records, path, Report(), allow_outside=False)
        self.images = Path(images)
        self.pairs = [
            (str(record["file_name"]), captions[record["id"]])
            for record in records
            if captions.get(record["id"])
        ]
        if not self.pairs:
            raise UserError(f"{path} has captions of none of its {len(records)} images")
        without = len(records) - len(self.pairs)
        empty = sum(not own for own in captions.values())
        unknown = len(captions.keys() - {record["id"] for record in records})
        if without or unknown:
            LOGGER.warning(
                "%s: %d of %d images have no caption (%d have empty ones) and are left out; so are "
                "captions of %d images that it does not list",
                *(path, without, len(records), empty, unknown),
            )

    def __len__(self) -> int:
        return len(self.pairs)

    def load(self, index: int, rng: np.random.Generator) -> Pair:
        """Load an image and one of its captions, see ``PairSource``."""
        name, captions = self.pairs[index]
        return Pair(read_image(self.images / name), captions[rng.integers(len(captions))])
