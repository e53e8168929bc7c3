"""Checking, describing and joining stores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.core.logs import progress
from ovdistill.store.meta import NAME, StoreMeta, read_meta
from ovdistill.store.plan import SKIPPED, begin_store, finish_store
from ovdistill.store.shard import DamagedShard, read_index, shard_path, verify_shard, write_shard
from ovdistill.store.teacher_store import TeacherStore

# what two stores may differ in and still be one: which images, in how many files
OWN = ("image_ids", "pictures_a_shard", "merged")


def verify(folder: Path) -> StoreMeta:
    """Reads every shard of a store and compares its checksum.

    Returns:
        The store's ``meta.json``.

    Raises:
        UserError: names every shard that is missing, truncated, changed or foreign, and every file
            that does not belong there.
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
    belong |= {NAME, SKIPPED}
    for file in sorted(folder.iterdir()):
        if file.name not in belong:
            problems.append(f"{file.name} does not belong to this store")
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
    """What a store is, as plain values: its plan, and what is there so far."""
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
    """Joins complete stores of different images into one, or goes on where that was cut off.

    Raises:
        UserError: fewer than two, one that is damaged, differences in anything but the images, an
            image that is in two of them, or something else is in ``out``.
    """
    if len(folders) < 2:
        raise UserError(f"got {len(folders)} stores to merge; expected two or more")
    metas = [verify(folder) for folder in folders]
    for folder, meta in zip(folders[1:], metas[1:], strict=True):
        different = [
            f"{key}: {metas[0].provenance.get(key)} in {folders[0]}, {meta.provenance.get(key)}"
            for key in metas[0].provenance.keys() | meta.provenance.keys()
            if key not in OWN and metas[0].provenance.get(key) != meta.provenance.get(key)
        ]
        if different:
            raise UserError(f"{folder} was made otherwise: {'; '.join(sorted(different))}")
    stores = [TeacherStore(folder) for folder in folders]
    owners = Counter(image_id for store in stores for image_id in store.image_ids)
    if twice := [image_id for image_id, count in owners.items() if count > 1]:
        raise UserError(
            f"{len(twice)} images are in more than one store (the first: {twice[0]}); expected "
            "stores of different images"
        )
    provenance = {k: v for k, v in metas[0].provenance.items() if k not in OWN}
    provenance["merged"] = [meta.fingerprint for meta in metas]
    merged = StoreMeta(
        provenance, sum(meta.images for meta in metas), sum(meta.shards for meta in metas)
    )
    merged = begin_store(out, merged)
    sources = [
        (folder, own, meta, store)
        for folder, meta, store in zip(folders, metas, stores, strict=True)
        for own in range(meta.shards)
    ]
    for number, (folder, own, meta, store) in enumerate(
        progress(sources, title="merging", unit="shard")
    ):
        if not shard_path(out, number).is_file():
            index = read_index(folder, own, meta.fingerprint)
            records = [(image_id, store[image_id]) for image_id in index.image_ids.tolist()]
            write_shard(out, number, merged.fingerprint, merged.embed_dim, records, index.skipped)
    return finish_store(out, merged)
