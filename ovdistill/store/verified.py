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
SHARDS_PER_NOTE = 32  # that are compared between two notes, some seconds
THREADS = min(4, os.cpu_count() or 1)  # hashing runs beside other threads
# what this process has compared, also in folders that cannot be written to
COMPARED: dict[Path, dict[str, list[int]]] = {}


def verify_once(folder: Path, store: str, shards: int) -> None:
    """Compare the checksums of the shards that have changed since they were compared last.

    Of several processes that train together, the first does so. An interruption loses the last
    ``SHARDS_PER_NOTE`` at most. Where the folder cannot be written to, nothing is noted, and the
    next process compares again.

    Args:
        folder: the store.
        store: its fingerprint.
        shards: number of its shards.

    Raises:
        DamagedShard: see there.
    """
    if not is_main_process():
        return
    found = {**_read(folder), **COMPARED.get(folder.absolute(), {})}
    states = {shard_path(folder, n).name: _state(shard_path(folder, n)) for n in range(shards)}
    known = {name: state for name, state in states.items() if found.get(name) == state}
    COMPARED[folder.absolute()] = known
    todo = [n for n, name in enumerate(states) if name not in known]
    if not todo:
        return
    noted = True
    with ThreadPoolExecutor(THREADS) as pool:
        compared = progress(
            pool.map(lambda number: verify_shard(folder, number, store), todo),
            title="comparing checksums, once",
            total=len(todo),
            unit="shard",
            leave=False,
        )
        for count, (number, _) in enumerate(zip(todo, compared, strict=True), 1):
            name = shard_path(folder, number).name
            known[name] = states[name]
            if noted and (count % SHARDS_PER_NOTE == 0 or count == len(todo)):
                noted = _write(folder, known)


def _state(path: Path) -> list[int]:
    """Return the size of a file and when its content and its place on the disk changed last."""
    found = path.stat()
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def _write(folder: Path, known: dict[str, list[int]]) -> bool:
    """Note what was compared; return False where the folder cannot be written to."""
    try:
        write_json(folder / NAME, known, indent=None)
    except UserError as error:
        LOGGER.info("%s; the checksums will be compared again", error)
        return False
    return True


def _read(folder: Path) -> dict[str, list[int]]:
    """Return what is noted; nothing if the note is missing or damaged."""
    if not (folder / NAME).is_file():
        return {}
    try:
        found = read_json(folder / NAME, "note on checksums")
    except UserError:
        return {}  # all are compared, and it is written again
    return found if isinstance(found, dict) else {}
