"""Compare the checksums of a store's shards when it is opened, but each shard only once.

``verified.json`` in the store notes size and times of every shard whose checksum was right. A shard
that has changed since, or that was copied, is read again.
"""

from __future__ import annotations

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ovdistill.core.distributed import is_main_process
from ovdistill.core.errors import UserError
from ovdistill.core.files import write_json
from ovdistill.core.json_files import read_json
from ovdistill.core.logs import progress
from ovdistill.store.shard import shard_path, verify_shard

LOGGER = logging.getLogger(__name__)
NAME = "verified.json"
THREADS = min(4, os.cpu_count() or 1)  # hashing runs beside other threads


def verify_once(folder: Path, store: str, shards: int) -> None:
    """Compare the checksums of the shards that have changed since they were compared last.

    Of several processes that train together, the first does so. Where the folder cannot be written
    to, nothing is noted, and the next run compares again.

    Args:
        folder: the store.
        store: its fingerprint.
        shards: number of its shards.

    Raises:
        DamagedShard: see there.
    """
    if not is_main_process():
        return
    known = _read(folder)
    states = {shard_path(folder, n).name: _state(shard_path(folder, n)) for n in range(shards)}
    todo = [n for n, name in enumerate(states) if known.get(name) != states[name]]
    if not todo:
        return
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in progress(
            pool.map(lambda number: verify_shard(folder, number, store), todo),
            title="comparing checksums, once",
            total=len(todo),
            unit="shard",
            leave=False,
        ):
            pass
    try:
        write_json(folder / NAME, states, indent=None)
    except UserError as error:
        LOGGER.info("%s; the checksums will be compared again", error)


def _state(path: Path) -> list[int]:
    """Return the size of a file and when its content and its place on the disk changed last."""
    found = path.stat()
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def _read(folder: Path) -> dict[str, list[int]]:
    """Return what is noted; nothing if the note is missing or damaged."""
    if not (folder / NAME).is_file():
        return {}
    try:
        found = read_json(folder / NAME, "note on checksums")
    except UserError:
        return {}  # all are compared, and it is written again
    return found if isinstance(found, dict) else {}
