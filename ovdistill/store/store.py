"""A file of distillation regions: image id -> boxes, objectness, teacher embeddings.

One safetensors file: the regions of all images one after the other, and where each image's start.

Shapes: N images, P regions of an image, D embedding width.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ovdistill.errors import UserError
from ovdistill.store.mapped import MappedTensors, read_header, write_tensors

FORMAT = "ovdistill-store-1"
FIX = "make it again: ovdistill extract (tools/train.py does so where it can)"
FIELDS = ("boxes", "objectness", "embeddings")


@dataclass(frozen=True, eq=False)
class Regions:
    """The distillation regions of an image.

    Attributes:
        boxes: (P, 4) float32, xyxy, absolute pixels of the original image. (Not float16: that
            has steps of half a pixel beyond 512.)
        objectness: (P,) float32, score of each proposal.
        embeddings: (P, D) float16, unit norm up to rounding; bring to unit norm again in float32.
    """

    boxes: Tensor
    objectness: Tensor
    embeddings: Tensor

    def __len__(self) -> int:
        return len(self.boxes)

    def top(self, count: int) -> Regions:
        """The ``count`` regions of the highest objectness."""
        kept = self.objectness.argsort(descending=True, stable=True)[:count]
        return Regions(self.boxes[kept], self.objectness[kept], self.embeddings[kept])


class TeacherStore:
    """Reads a store; ``store[image_id]`` gives the image's ``Regions``.

    The file is checked here, but mapped into memory at the first access of each process; so a
    store can be pickled and sent to data loader workers.

    Args:
        path: the file.

    Raises:
        UserError: no such file, damaged or incomplete, or not a store.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.header, whole, rows = read_header(self.path, FORMAT, ("offsets", "image_ids"), FIX)
        self.offsets: list[int] = whole["offsets"].tolist()
        self.image_ids: list[int] = whole["image_ids"].tolist()
        counts = {rows.get(name) for name in FIELDS}
        if len(self.offsets) != len(self.image_ids) + 1 or counts != {self.offsets[-1]}:
            raise UserError(f"teacher store {self.path!r} contradicts itself; {FIX}")
        self._rows = {image_id: row for row, image_id in enumerate(self.image_ids)}
        self._mapped = MappedTensors(self.path)

    def __len__(self) -> int:
        return len(self.image_ids)

    def __contains__(self, image_id: int) -> bool:
        return image_id in self._rows

    def __getitem__(self, image_id: int) -> Regions:
        """The regions of an image, copied out of the file.

        Raises:
            UserError: the image is not in the store.
        """
        row = self._rows.get(int(image_id))
        if row is None:
            raise UserError(
                f"image {image_id} is not in teacher store {self.path!r} of {len(self)} images; "
                f"expected the store of this data set; {FIX}"
            )
        part = slice(self.offsets[row], self.offsets[row + 1])
        return Regions(*(self._mapped[name][part].clone() for name in FIELDS))


def write_store(
    path: str | os.PathLike[str],
    records: Iterable[tuple[int, Regions]],
    header: dict[str, Any],
) -> Path:
    """Writes a store at once: it is there complete, or not at all.

    Args:
        path: the file.
        records: (image id, regions); embeddings of any float dtype, which are brought to unit
            norm and stored as float16.
        header: plain JSON values: teacher, its hash, crop policy, source of the boxes, ...

    Returns:
        ``path``.

    Raises:
        UserError: no records, an image that comes twice, or parts of unequal lengths, NaN or a
            zero embedding.
    """
    ids, counts, parts = [], [], []
    for image_id, regions in records:
        _check(image_id, regions)
        ids.append(int(image_id))
        counts.append(len(regions))
        unit = normalize(regions.embeddings.float(), dim=-1).half()
        parts.append((regions.boxes.float(), regions.objectness.float(), unit))
    if not ids:
        raise UserError(f"no images for teacher store {os.fspath(path)!r}; expected at least one")
    if len(set(ids)) < len(ids):
        repeated = next(i for i in ids if ids.count(i) > 1)
        raise UserError(f"image {repeated} comes twice for teacher store {os.fspath(path)!r}")
    boxes, objectness, embeddings = (
        torch.cat(part).contiguous() for part in zip(*parts, strict=True)
    )
    tensors = {
        "boxes": boxes,
        "objectness": objectness,
        "embeddings": embeddings,
        "offsets": torch.tensor([0, *counts]).cumsum(0),
        "image_ids": torch.tensor(ids),
    }
    return write_tensors(path, tensors, FORMAT, header)


def _check(image_id: int, regions: Regions) -> None:
    sizes = len(regions.boxes), len(regions.objectness), len(regions.embeddings)
    if len({*sizes}) != 1 or regions.boxes.shape[1:] != (4,) or regions.embeddings.ndim != 2:
        raise UserError(
            f"image {image_id}: {sizes} boxes, scores and embeddings; expected (P, 4), (P,), (P, D)"
        )
    norms = regions.embeddings.float().norm(dim=-1)
    if not (torch.isfinite(norms) & (norms > 0)).all() or regions.boxes.isnan().any():
        raise UserError(f"image {image_id}: a box or an embedding with NaN, or a zero embedding")
