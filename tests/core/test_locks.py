"""One process at a time in a folder; a process that was killed holds nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ovdistill.core import locks
from ovdistill.core.errors import UserError
from ovdistill.core.locks import NAME, folder_lock

HOLD = """
import sys, time
from ovdistill.core.locks import folder_lock
with folder_lock(sys.argv[1], "a training"):
    print("held", flush=True)
    time.sleep(60)
"""


def hold(folder: Path) -> subprocess.Popen[str]:
    """Start a process that holds the lock of a folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    first = hold(tmp_path)
    with pytest.raises(UserError, match=f"process {first.pid} on "), folder_lock(tmp_path, "x"):
        pass
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert (tmp_path / NAME).exists()
    with folder_lock(tmp_path, "a training"):
        assert json.loads((tmp_path / NAME).read_text())["pid"] == os.getpid()
    assert not (tmp_path / NAME).exists()


def test_an_error_leaves_no_lock(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="bad"), folder_lock(tmp_path, "a training"):
        raise ValueError("bad")
    assert not (tmp_path / NAME).exists()


def test_a_second_process_waits_if_it_is_to(tmp_path: Path, monkeypatch) -> None:
    first = hold(tmp_path)
    monkeypatch.setattr(locks.time, "sleep", lambda _: first.kill() or first.wait())
    with folder_lock(tmp_path, "a training", wait=True):
        assert first.poll() is not None


def test_the_lock_of_a_removed_file_holds_nothing(tmp_path: Path, monkeypatch) -> None:
    """Between opening and locking, the holder before may have removed the file."""
    acquire = locks._acquire
    held = iter([lambda path: path.unlink(), lambda _: None])
    monkeypatch.setattr(locks, "_acquire", lambda n, path: next(held)(path) or acquire(n, path))
    with folder_lock(tmp_path, "a training"):
        assert (tmp_path / NAME).exists()


def test_a_note_of_any_content_does_not_matter(tmp_path: Path) -> None:
    for content in (b"", b"\xff\xfe", b"[" * 10000, b'{"pid": "x", "host": 1}'):
        (tmp_path / NAME).write_bytes(content)
        with folder_lock(tmp_path, "a training"):
            pass


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file"), folder_lock(tmp_path / "file", "a training"):
        pass


def test_without_locks_of_the_file_system_the_note_counts(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(locks, "fcntl", None)

    def held_by(pid: int, host: str) -> bool:
        (tmp_path / NAME).write_text(json.dumps(dict(pid=pid, host=host)))
        try:
            with folder_lock(tmp_path, "a training"):
                return False
        except UserError:
            return True

    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert held_by(os.getppid(), socket.gethostname())
    assert not held_by(gone.pid, socket.gethostname())
    assert held_by(gone.pid, "another-machine")
