"""Images in whose boxes dense features are compared with crops.

Shapes: P boxes of an image, D embedding width.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.core.images import read_image
from ovdistill.core.teacher_id import TeacherId
from ovdistill.store import TeacherStore
from ovdistill.teacher_training.refine.boxes import KINDS, draw_boxes

SizedFile = tuple[Path, tuple[int, int] | None]  # an image, and its height and width


@dataclass(frozen=True, eq=False)
class Sample:
    """An image and its boxes.

    Attributes:
        image: (3, H, W) uint8 RGB.
        boxes: (P, 4) float32, xyxy, absolute pixels of the image.
        crops: (P, D) what the frozen teacher made of the boxes' crops; None where it has to crop.
    """

    image: Tensor
    boxes: Tensor
    crops: Tensor | None = None


class RefineSource(ABC):
    """Where the images come from."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of images."""

    @abstractmethod
    def sample(self, row: int, rng: np.random.Generator) -> Sample:
        """Return an image and its boxes.

        Args:
            row: number of the image.
            rng: the state of chance.

        Raises:
            ImageError: the image cannot be read.
        """

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return what a run that goes on must have in common, as plain JSON values."""


class UnlabelledImages(RefineSource):
    """Images of which nothing is known; boxes are drawn at random.

    Args:
        files: the images.
        kind: of boxes, see ``draw_boxes``.

    Raises:
        UserError: no images, or no such kind.
    """

    def __init__(self, files: Sequence[Path], kind: str = "grid") -> None:
        if not files:
            raise UserError("no images to refine the teacher with; expected at least one")
        if kind not in KINDS:
            raise UserError(f"boxes {kind!r}; expected one of: {', '.join(KINDS)}")
        self.files, self.kind = files, kind

    def __len__(self) -> int:
        return len(self.files)

    def sample(self, row: int, rng: np.random.Generator) -> Sample:
        """Return an image and random boxes, see ``RefineSource``."""
        image = _read(self.files[row])
        return Sample(image, draw_boxes(rng, (image.shape[1], image.shape[2]), self.kind))

    def describe(self) -> dict[str, Any]:
        """Return number and names of images and kind of boxes, see ``RefineSource``."""
        names = "\n".join(path.name for path in self.files)
        digest = hashlib.sha256(names.encode(errors="surrogateescape")).hexdigest()[:16]
        return dict(images=len(self.files), names=digest, boxes=self.kind)


class StoredRegions(RefineSource):
    """Images with the regions of a store: proposals, and the teacher's embeddings of their crops.

    Args:
        store: regions by crops, of the teacher that is refined.
        files: files of its images, by id, with the height and width that the boxes are of; None
            where these are not known.
        teacher: the teacher that is refined.

    Raises:
        UserError: a store of another teacher or of dense regions, or no image with regions.
    """

    def __init__(
        self, store: TeacherStore, files: Mapping[int, SizedFile], teacher: TeacherId
    ) -> None:
        crops = store.meta.provenance.get("crops") or {}
        if not store.teacher.is_same(teacher) or crops.get("mode", "crops") != "crops":
            raise UserError(
                f"store {store.folder} has regions of teacher {store.teacher} with {crops}; "
                f"expected crops, by teacher {teacher}"
            )
        self.store, self.files = store, files
        self.ids = [image_id for image_id in store.image_ids if image_id in files]
        self.ids = [image_id for image_id in self.ids if store.count(image_id)]
        if not self.ids:
            raise UserError(f"no image with regions in {store.folder} is among the {len(files)}")

    def __len__(self) -> int:
        return len(self.ids)

    def sample(self, row: int, rng: np.random.Generator) -> Sample:
        """Return an image with its regions, see ``RefineSource``; nothing is drawn."""
        regions = self.store[self.ids[row]]
        image = _read(*self.files[self.ids[row]])
        return Sample(image, regions.boxes, regions.embeddings.float())

    def describe(self) -> dict[str, Any]:
        """Return number of images and the store's fingerprint, see ``RefineSource``."""
        return dict(images=len(self.ids), store=self.store.meta.fingerprint)


def _read(path: Path, size: tuple[int, int] | None = None) -> Tensor:
    """Return an image (3, H, W) uint8 RGB, see ``read_image``."""
    return torch.from_numpy(read_image(path, size)).permute(2, 0, 1)
