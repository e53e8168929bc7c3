"""Verify, describe and merge stores of regions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.core.files import TEMPORARY
from ovdistill.core.logs import progress
from ovdistill.store.meta import NAME, TEACHER_FILES, StoreMeta, read_meta
from ovdistill.store.plan import SKIPPED, begin_store, finish_store
from ovdistill.store.same_plan import BOXES, comparable_parts
from ovdistill.store.shard import DamagedShard, read_index, shard_path, verify_shard, write_shard
from ovdistill.store.teacher_store import TeacherStore
from ovdistill.store.verified import NAME as VERIFIED

# provenance in which stores may differ that are merged: which images, in how many files
OWN_KEYS = ("image_ids", "pictures_a_shard", "merged")
# digests that may differ: the list of images; files of a teacher, whose weights the plan identifies
OWN_ORIGIN = ("source", TEACHER_FILES)


def verify(folder: Path) -> StoreMeta:
    """Read every shard of a store and compare its checksum.

    Returns:
        The content of the store's ``meta.json``.

    Raises:
        UserError: a shard is missing, truncated, changed or of another store, or there is a file
            that does not belong to the store; the message names all of them.
    """
    meta = read_meta(folder)
    problems, images = [], 0
    for number in progress(range(meta.shards), title="checking", unit="shard", leave=False):
        try:
            index = verify_shard(folder, number, meta.fingerprint)
            images += len(index.image_ids) + sum(r["whole"] for r in index.skipped)
        except DamagedShard as error:
            problems.append(f"{error.path.name} is {error.problem}")
    belong = {shard_path(folder, number).name for number in range(meta.shards)}
    belong |= {NAME, SKIPPED, VERIFIED}
    for file in sorted(folder.iterdir()):
        # a shard that a run writes just now, or that a killed one has left, does no harm
        unfinished = file.match(f"shard-*{TEMPORARY}")
        if file.name not in belong and not unfinished:
            problems.append(f"{file.name} does not belong to this store")
    if not problems and not meta.counts:
        raise UserError(
            f"store {folder} is not finished: its shards are there, but {NAME} has no "
            "counts. Run the command that made it again, which completes it."
        )
    if not problems and images != meta.images:
        problems.append(f"{images} images, where {NAME} says {meta.images}")
    if problems:
        raise UserError(
            f"store {folder}: {len(problems)} problems:\n  "
            + "\n  ".join(problems)
            + "\nDelete the files named here that are there, and run the command that made the "
            "store again: it makes what is missing."
        )
    return meta


def describe(folder: Path) -> dict[str, Any]:
    """Return what a store was planned to be and what is there so far, as plain JSON values."""
    meta = read_meta(folder)
    there = [n for n in range(meta.shards) if shard_path(folder, n).is_file()]
    shards = [read_index(folder, number, meta.fingerprint) for number in there]
    regions = sum(int(shard.offsets[-1]) for shard in shards)
    size = sum(shard_path(folder, number).stat().st_size for number in there)
    skipped = Counter(
        "images" if record["whole"] else "boxes" for shard in shards for record in shard.skipped
    )
    return {
        **meta.provenance,
        "fingerprint": meta.fingerprint,
        "shards": f"{len(there)} of {meta.shards}",
        "images": f"{sum(len(shard.image_ids) for shard in shards)} of {meta.images}",
        "regions": regions,
        "skipped_images": skipped["images"],
        "images_with_skipped_boxes": skipped["boxes"],
        "bytes": size,
        "bytes_a_region": round(size / regions, 1) if regions else None,
    }


def merge(folders: Sequence[Path], out: Path) -> StoreMeta:
    """Merge complete stores of different images into one; continue where a merge was cut off.

    Args:
        folders: two or more stores that differ in nothing but their images.
        out: folder of the new store.

    Returns:
        The content of the new store's ``meta.json``.

    Raises:
        UserError: fewer than two stores, a damaged one, stores that were made differently, an
            image that is in two of them, or a folder ``out`` with something else in it.
    """
    if len(folders) < 2:
        raise UserError(f"got {len(folders)} stores to merge; expected two or more")
    metas = [verify(folder) for folder in folders]
    _check_alike(folders, metas)
    stores = [TeacherStore(folder) for folder in folders]
    _check_disjoint(stores)
    merged = begin_store(out, _merged_meta(metas))
    shards = [(store, number) for store in stores for number in range(store.meta.shards)]
    for number, (store, own) in enumerate(progress(shards, title="merging", unit="shard")):
        if not shard_path(out, number).is_file():
            index = read_index(store.folder, own, store.meta.fingerprint)
            records = [(image_id, store[image_id]) for image_id in index.image_ids.tolist()]
            of_all = merged.fingerprint, merged.embed_dim, records
            write_shard(out, number, *of_all, index.skipped, index.images)
    return finish_store(out, merged)


def _check_alike(folders: Sequence[Path], metas: Sequence[StoreMeta]) -> None:
    """Raise UserError where stores differ in more than their images."""
    first = comparable_parts(metas[0].provenance)
    origin: dict[str, tuple[str, Path]] = {}  # a store that lacks a digest says nothing of it
    for folder, meta in zip(folders, metas, strict=True):
        own = comparable_parts(meta.provenance)
        different = [
            f"{key}: {metas[0].provenance.get(key)} in {folders[0]}, {meta.provenance.get(key)}"
            for key in first.keys() | own.keys()
            if key not in OWN_KEYS and first.get(key) != own.get(key)
        ]
        for key, value in meta.origin.items():
            there, where = origin.setdefault(key, (value, folder))
            if key not in OWN_ORIGIN and there != value:
                different.append(f"{key}: {there} in {where}, {value}")
        if different:
            raise UserError(f"{folder} was made differently: {'; '.join(sorted(different))}")


def _check_disjoint(stores: Sequence[TeacherStore]) -> None:
    """Raise UserError where two stores have an image in common."""
    counts = Counter(image_id for store in stores for image_id in store.image_ids)
    if repeated := [image_id for image_id, count in counts.items() if count > 1]:
        raise UserError(
            f"{len(repeated)} images are in more than one store (the first: {repeated[0]}); "
            "expected stores of different images"
        )


def _merged_meta(metas: Sequence[StoreMeta]) -> StoreMeta:
    provenance = {k: v for k, v in metas[0].provenance.items() if k not in OWN_KEYS}
    if any(_boxes_hash(meta) != _boxes_hash(metas[0]) for meta in metas):
        provenance[BOXES] = {**provenance[BOXES], "hash": ""}  # they are of several files
    provenance["merged"] = [meta.fingerprint for meta in metas]
    origin = {
        key: value
        for key, value in metas[0].origin.items()
        if key != OWN_ORIGIN[0] and all(meta.origin.get(key) == value for meta in metas)
    }
    images, shards = (sum(getattr(meta, key) for meta in metas) for key in ("images", "shards"))
    return StoreMeta(provenance, images, shards, origin=origin)


def _boxes_hash(meta: StoreMeta) -> Any:
    boxes = meta.provenance.get(BOXES)
    return boxes.get("hash") if isinstance(boxes, dict) else None
