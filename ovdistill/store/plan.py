"""Begin and finish a store that several processes may fill together."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ovdistill.core.distributed import wait_for_file
from ovdistill.core.errors import UserError
from ovdistill.core.files import TEMPORARY, write_json
from ovdistill.store.meta import ELSEWHERE, NAME, StoreMeta, read_meta, write_meta
from ovdistill.store.shard import read_index, shard_path

SKIPPED = "skipped.json"  # images and boxes that were left out, and why
SECONDS_TO_WAIT = 600  # until process 0 has written the plan
SECONDS_TO_WRITE = 3600  # no shard takes that long


def begin_store(folder: Path, meta: StoreMeta, rank: int = 0) -> StoreMeta:
    """Write the plan of a store, or check that the plan that is there is the same.

    Process 0 writes the plan; the other processes wait for it and compare.

    Args:
        folder: the store.
        meta: its plan.
        rank: rank of this process among those that fill the store.

    Returns:
        ``meta``; of a store that is there, its plan, which may spell paths in another way.

    Raises:
        UserError: the store was begun with another plan, or the folder holds something else.
    """
    if rank == 0 and not (folder / NAME).is_file():
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UserError(f"{folder} is no store and not empty. {ELSEWHERE}.")
        write_meta(folder, meta)
        return meta
    wait_for_file(folder / NAME, SECONDS_TO_WAIT)
    there = read_meta(folder)
    meta.check_same(there, folder)
    return replace(meta, provenance=there.provenance)  # whose fingerprint the shards state


def finish_store(folder: Path, meta: StoreMeta) -> StoreMeta:
    """Write ``skipped.json`` of the shards that exist, and the counts once all of them do.

    Returns:
        The plan, with counts if the store is complete.
    """
    there = [n for n in range(meta.shards) if shard_path(folder, n).is_file()]
    shards = [read_index(folder, number, meta.fingerprint) for number in there]
    skipped = [record for shard in shards for record in shard.skipped]
    write_json(folder / SKIPPED, skipped)
    if len(there) < meta.shards:
        return meta
    counts = dict(
        pictures=sum(len(shard.image_ids) for shard in shards),
        regions=sum(int(shard.offsets[-1]) for shard in shards),
        skipped=sum(record["whole"] for record in skipped),
        empty=sum(int((shard.offsets.diff() == 0).sum()) for shard in shards),
    )
    meta = replace(meta, counts=counts)
    write_meta(folder, meta)
    _remove_left(folder)
    return meta


def _remove_left(folder: Path) -> None:
    """Delete what killed processes have left of shards; another run may be writing younger ones."""
    for left in folder.glob(f"shard-*{TEMPORARY}"):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > SECONDS_TO_WRITE:
                left.unlink()
