"""A lock on a folder that one process writes to."""

from __future__ import annotations

import errno
import json
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ovdistill.core.errors import UserError
from ovdistill.core.files import clear_errors

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

NAME = "running.lock"
SECONDS_BETWEEN = 1.0  # two looks at a lock that is waited for
LOGGER = logging.getLogger(__name__)
HELD = (errno.EACCES, errno.EAGAIN)  # another process has the lock


@contextmanager
def folder_lock(
    folder: str | os.PathLike[str], purpose: str, *, wait: bool = False
) -> Iterator[None]:
    """Hold the lock of a folder; it ends with the block, and with the process however that ends.

    The lock is one of the operating system on the file ``running.lock``, which says who holds it. A
    file that a killed process has left holds nothing. Where the file system has no locks, the file
    itself is the lock, unless it is of a process of this machine that does not live any more.

    Args:
        folder: is made if it is missing.
        purpose: what is done in it, for the message: 'training'.
        wait: until another process that holds the lock is done.

    Raises:
        UserError: another process holds the lock, or the folder cannot be written to.
    """
    path = Path(folder) / NAME
    number = _take(path)
    if number is None and wait:
        LOGGER.info("waiting for %s in %s (%s)", purpose, folder, _holder(path))
    while number is None and wait:
        time.sleep(SECONDS_BETWEEN)
        number = _take(path)
    if number is None:
        raise UserError(
            f"{purpose} in {folder} is going on already ({_holder(path)}); expected one at a "
            "time. Wait for it, end it, or name another folder."
        )
    try:
        note = dict(pid=os.getpid(), host=socket.gethostname())
        os.ftruncate(number, 0)
        os.pwrite(number, json.dumps(note).encode(), 0)
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(number)


def _take(path: Path) -> int | None:
    """Return the open file of a lock that is ours now; None if another process has it."""
    while True:
        with clear_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            number = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        taken = _acquire(number, path)
        if taken and _is_at(number, path):
            return number
        os.close(number)
        if not taken:
            return None


def _is_at(number: int, path: Path) -> bool:
    """Return False if an open file has been removed: whoever held the lock before did it."""
    try:
        return os.path.samestat(os.fstat(number), os.stat(path))
    except FileNotFoundError:
        return False


def _acquire(number: int, path: Path) -> bool:
    """Take the lock of an open file; return False if another process has it."""
    if fcntl is not None:
        try:
            # a record lock: it belongs to this process alone, not to workers that it forks
            fcntl.lockf(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError as error:
            if error.errno in HELD:
                return False
    note = _read(path)
    return not note or (note["host"] == socket.gethostname() and not _is_alive(note["pid"]))


def _holder(path: Path) -> str:
    note = _read(path)
    return f"process {note['pid']} on {note['host']}" if note else "by a process that is unknown"


def _read(path: Path) -> dict[str, int | str]:
    """Return pid and host that a lock states; empty if it states none."""
    try:
        note = json.loads(path.read_bytes())
        return {"pid": int(note["pid"]), "host": str(note["host"])}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _is_alive(pid: int | str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is there, but not ours
        return True
    return True
