"""All regions of a complete store as one list of rows, mapped into memory.

Shapes: P regions, D embedding width.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import safe_open
from torch import Tensor

from ovdistill.store.shard import FIELDS, DamagedShard, read_index, shard_path
from ovdistill.store.teacher_store import TeacherStore


class Row(NamedTuple):
    """A region without its embedding: its image, its (4,) xyxy box in pixels, its objectness."""

    image_id: int
    box: tuple[float, float, float, float]
    objectness: float


class MappedShards:
    """The P regions of a complete store, by their row: 0 to P - 1 in the order of the shards.

    Opening reads all but the embeddings. These are read from the disk when they are
    used, and stay in the page cache of the operating system.

    Args:
        folder: the store.

    Attributes:
        store: the store.
        blocks: (p, D) float16 embeddings of each shard.
        image_ids: (P,) int64, the image of each row.

    Raises:
        UserError: see ``TeacherStore``; or boxes that are not finite.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.store = TeacherStore(folder)
        self.blocks: list[Tensor] = []
        self._boxes: list[Tensor] = []
        self._objectness: list[Tensor] = []
        image_ids = [torch.zeros(0, dtype=torch.int64)]
        for number in range(self.store.meta.shards):
            index = read_index(self.store.folder, number, self.store.meta.fingerprint)
            image_ids.append(index.image_ids.repeat_interleave(index.offsets.diff()))
            path = shard_path(self.store.folder, number)
            boxes, objectness, embeddings = _map(path)
            if not (boxes.isfinite().all() and objectness.isfinite().all()):
                raise DamagedShard(path, "damaged (a box or an objectness is not finite)")
            self.blocks.append(embeddings)
            self._boxes.append(boxes)
            self._objectness.append(objectness)
        self.image_ids = torch.cat(image_ids)
        ends = torch.tensor([0, *map(len, self.blocks)]).cumsum(0)
        self._starts, self._ends = ends[:-1], ends[1:]

    def __len__(self) -> int:
        return len(self.image_ids)

    def __getitem__(self, row: int) -> Row:
        """Return the region of a row."""
        if not 0 <= row < len(self):
            raise IndexError(row)
        shard = int(torch.searchsorted(self._ends, row, right=True))
        own = row - int(self._starts[shard])
        left, top, right, bottom = self._boxes[shard][own].tolist()
        objectness = float(self._objectness[shard][own])
        return Row(int(self.image_ids[row]), (left, top, right, bottom), objectness)


def _map(path: Path) -> tuple[Tensor, ...]:
    """Return the tensors of a shard, see ``FIELDS``; safetensors maps them, and copies nothing."""
    with safe_open(path, framework="pt") as file:
        return tuple(file.get_tensor(name) for name in FIELDS)
