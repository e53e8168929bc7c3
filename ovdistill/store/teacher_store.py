"""Store of regions on disk: image id -> boxes, objectness and teacher embeddings.

A store is a folder of shards (``store.shard``) and a ``meta.json`` (``store.meta``).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from ovdistill.core.errors import UserError
from ovdistill.core.files import atomic_folder
from ovdistill.core.teacher_id import TeacherId
from ovdistill.store.mapped_tensors import MappedTensors
from ovdistill.store.meta import FIX, StoreMeta, read_meta, write_meta
from ovdistill.store.regions import Regions
from ovdistill.store.shard import FIELDS, ShardIndex, read_index, shard_path, write_shard
from ovdistill.store.stored_image import StoredImage
from ovdistill.store.verified import verify_once

IMAGES_PER_SHARD = 128


class TeacherStore:
    """Complete store: ``store[image_id]`` is the ``Regions`` of an image.

    The constructor checks every shard, and compares its checksum unless that was done before and
    the file is the same (see ``store.verified``; ``ovdistill store verify`` always compares).
    Each process maps the shards into memory at its first access, so a store can be pickled and
    sent to the workers of a data loader.

    Args:
        folder: the store.

    Attributes:
        folder: the store.
        meta: content of its ``meta.json``.
        skipped: reason for each image that was skipped, by image id.

    Raises:
        UserError: no such store, or a damaged or incomplete one.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.meta = read_meta(self.folder)
        _check_complete(self.folder, self.meta)
        store = self.meta.fingerprint
        shards = [read_index(self.folder, number, store) for number in range(self.meta.shards)]
        _check_fit(self.folder, self.meta, shards)
        verify_once(self.folder, store, len(shards))
        self.skipped = {r["image_id"]: r["reason"] for s in shards for r in s.skipped if r["whole"]}
        self._rows = torch.cat([torch.zeros(0, dtype=torch.int64), *(s.image_ids for s in shards)])
        self._order = self._rows.argsort()
        self._sorted = self._rows[self._order]
        # of every image: its shard, and its rows there
        counts = torch.tensor([len(shard.image_ids) for shard in shards], dtype=torch.int64)
        self._shard = torch.arange(len(shards)).repeat_interleave(counts)
        self._start = torch.cat(
            [torch.zeros(0, dtype=torch.int64), *(s.offsets[:-1] for s in shards)]
        )
        self._end = torch.cat([torch.zeros(0, dtype=torch.int64), *(s.offsets[1:] for s in shards)])
        self._mapped = [
            MappedTensors(str(shard_path(self.folder, number))) for number in range(len(shards))
        ]

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, image_id: int) -> bool:
        return self._find(image_id) is not None

    @property
    def teacher(self) -> TeacherId:
        """Teacher that embedded the regions."""
        return self.meta.teacher

    @cached_property
    def known_ids(self) -> frozenset[int]:
        """Ids of all images that the store was made for, those that were skipped included."""
        return frozenset(self._rows.tolist()) | self.skipped.keys()

    @property
    def image_ids(self) -> list[int]:
        """Ids of all images, in the order of the shards."""
        return self._rows.tolist()

    def __getitem__(self, image_id: int) -> Regions:
        """Return the regions of an image, copied out of the file.

        Raises:
            UserError: the image is not in the store, or was skipped when the store was made.
        """
        row = self._row(image_id)
        mapped = self._mapped[self._shard[row]]
        part = slice(int(self._start[row]), int(self._end[row]))
        return Regions(*(mapped[name][part].clone() for name in FIELDS))

    def count(self, image_id: int) -> int:
        """Return the number of regions of an image, without reading them.

        Raises:
            UserError: see ``__getitem__``.
        """
        row = self._row(image_id)
        return int(self._end[row] - self._start[row])

    def _row(self, image_id: int) -> int:
        """Return the row of an image; raise UserError if the store does not have it."""
        row = self._find(int(image_id))
        if row is None:
            if int(image_id) in self.skipped:
                reason = f"was skipped ({self.skipped[int(image_id)]})"
                raise UserError(f"image {image_id} {reason} when store {self.folder} was made")
            raise UserError(
                f"image {image_id} is not in teacher store {self.folder} of {len(self)} images; "
                f"expected the store of this data set; {FIX}"
            )
        return row

    def _find(self, image_id: int) -> int | None:
        """Return the row of an image, or None."""
        index = int(torch.searchsorted(self._sorted, image_id))
        if index == len(self._sorted) or int(self._sorted[index]) != image_id:
            return None
        return int(self._order[index])


def write_store(
    folder: str | os.PathLike[str],
    records: Iterable[tuple[int, Regions]],
    provenance: dict[str, Any],
    images_per_shard: int = IMAGES_PER_SHARD,
    images: Mapping[int, StoredImage] | None = None,
) -> Path:
    """Write a store of regions that are in memory, complete or not at all.

    Args:
        folder: folder of the new store; it must not have anything in it.
        records: image ids and their regions.
        provenance: plain JSON values, see ``StoreMeta``; ``dim`` is added.
        images_per_shard: number of images in a file.
        images: the file of every image, by id, by which ``check_same_images`` knows it; None: the
            store does not state them.

    Returns:
        ``folder``.

    Raises:
        UserError: no records, or an image that comes twice; see ``write_shard`` for others.
    """
    folder = Path(folder)
    records = [(image_id, regions.stored(image_id)) for image_id, regions in records]
    ids = [image_id for image_id, _ in records]
    if not ids:
        raise UserError(f"no images for teacher store {folder}; expected at least one")
    if len(set(ids)) < len(ids):
        repeated = next(i for i, count in Counter(ids).items() if count > 1)
        raise UserError(f"image {repeated} comes twice for teacher store {folder}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is there and not empty; name another folder, or delete it")
    embed_dim = records[0][1].embeddings.shape[-1]
    shards = -(-len(ids) // images_per_shard)
    meta = StoreMeta({**provenance, "dim": embed_dim}, len(ids), shards)
    rest = iter(records)
    regions = sum(len(regions) for _, regions in records)
    counts = dict(pictures=len(ids), regions=regions, skipped=0)
    with atomic_folder(folder) as temporary:
        for number in range(shards):
            part = list(islice(rest, images_per_shard))
            files = [images[image_id] for image_id, _ in part] if images else []
            write_shard(temporary, number, meta.fingerprint, embed_dim, part, images=files)
        write_meta(temporary, StoreMeta(meta.provenance, len(ids), shards, counts))
    return folder


def _check_complete(folder: Path, meta: StoreMeta) -> None:
    missing = [n for n in range(meta.shards) if not shard_path(folder, n).is_file()]
    if missing:
        raise UserError(
            f"store {folder} is not complete: {len(missing)} of {meta.shards} shards are missing "
            f"(the first: {shard_path(folder, missing[0]).name}). Run the command that made it "
            "again: it goes on where it stopped."
        )


def _check_fit(folder: Path, meta: StoreMeta, shards: Sequence[ShardIndex]) -> None:
    """Raise UserError for a shard of another width, and for an image that is in two shards."""
    for number, shard in enumerate(shards):
        if shard.embed_dim != meta.embed_dim and len(shard.image_ids):
            raise UserError(
                f"{shard_path(folder, number)} has embeddings of width {shard.embed_dim}; its "
                f"store says {meta.embed_dim}. It is damaged; {FIX}"
            )
    ids = torch.cat([torch.zeros(0, dtype=torch.int64), *(shard.image_ids for shard in shards)])
    if len(ids.unique()) < len(ids):
        raise UserError(f"store {folder} has an image twice. It is damaged; {FIX}")
