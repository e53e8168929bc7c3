"""Files and folders are complete or not there; an error leaves nothing behind."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import pytest

from ovdistill.core import files
from ovdistill.core.errors import UserError
from ovdistill.core.files import (
    atomic_file,
    atomic_folder,
    hash_file,
    remove_temporary,
    sha256_of,
    write_bytes,
    write_json,
    write_text,
)

ERRORS = [ValueError("ours"), KeyboardInterrupt(), OSError(errno.ENOSPC, "no space"), SystemExit(1)]


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder, temporary ones among them, with their bytes."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.bin"
    with atomic_file(path) as temporary:
        temporary.write_bytes(b"half")
        assert not path.exists()
        assert temporary.parent == path.parent
    assert contents(tmp_path) == {"new/folder/a.bin": b"half"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("former", [None, b"former"])
def test_an_error_keeps_the_former_file(
    tmp_path: Path, error: BaseException, former: bytes | None
) -> None:
    path = tmp_path / "a.bin"
    if former is not None:
        path.write_bytes(former)
    before = contents(tmp_path)
    expected = UserError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected), atomic_file(path) as temporary:
        temporary.write_bytes(b"half")
        raise error
    assert contents(tmp_path) == before


def test_a_rename_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise PermissionError(errno.EACCES, "denied", str(tmp_path / "a"))

    write_text(tmp_path / "a", "former")
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(UserError):
        write_text(tmp_path / "a", "new")
    assert contents(tmp_path) == {"a": b"former"}


def test_a_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "a", tmp_path / "folder", tmp_path / ("a" * 300)):
        with pytest.raises(UserError, match=path.name):
            write_text(path, "new")
    assert contents(tmp_path) == {"file": b""}


def test_errors_of_reading_something_else_are_not_blamed_on_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_file(tmp_path / "a") as temporary:
        temporary.write_bytes((tmp_path / "source").read_bytes())
    with pytest.raises(PermissionError), atomic_file(tmp_path / "a"):
        raise PermissionError(errno.EACCES, "denied", "/somewhere/else")
    assert contents(tmp_path) == {}


def test_a_folder_appears_when_it_is_complete_and_replaces_a_former_one(tmp_path: Path) -> None:
    path = tmp_path / "new" / "store"
    for content in (b"one", b"two"):
        with atomic_folder(path) as temporary:
            (temporary / "below").mkdir()
            (temporary / "below" / content.decode()).write_bytes(content)
        assert contents(tmp_path) == {f"new/store/below/{content.decode()}": content}
        assert [p.name for p in path.parent.iterdir()] == ["store"]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("exists", [False, True])
def test_an_error_keeps_the_former_folder(
    tmp_path: Path, error: BaseException, exists: bool
) -> None:
    path = tmp_path / "store"
    if exists:
        path.mkdir()
        (path / "a").write_bytes(b"former")
    expected = UserError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected), atomic_folder(path) as temporary:
        (temporary / "a").write_bytes(b"half")
        raise error
    assert contents(tmp_path) == ({"store/a": b"former"} if exists else {})
    assert [p.name for p in tmp_path.iterdir()] == (["store"] if exists else [])


def test_a_folder_whose_rename_fails_keeps_the_former_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace
    path = tmp_path / "store"
    path.mkdir()
    (path / "a").write_bytes(b"former")

    def fail_at_the_new_one(source: Path, target: Path) -> None:
        if (Path(source) / "b").exists():
            raise OSError(errno.ENOSPC, "no space")
        replace(source, target)

    monkeypatch.setattr(files.os, "replace", fail_at_the_new_one)
    with pytest.raises(UserError), atomic_folder(path) as temporary:
        (temporary / "b").write_bytes(b"new")
    assert contents(tmp_path) == {"store/a": b"former"}
    assert [p.name for p in tmp_path.iterdir()] == ["store"]


def test_a_folder_does_not_replace_a_file(tmp_path: Path) -> None:
    (tmp_path / "store").write_bytes(b"a file")
    with pytest.raises(UserError), atomic_folder(tmp_path / "store"):
        pass
    assert contents(tmp_path) == {"store": b"a file"}


def test_text_and_json(tmp_path: Path) -> None:
    write_text(tmp_path / "t", "über")
    assert (tmp_path / "t").read_bytes() == "über".encode()
    content = {"a": [1, 2.5], "b": None}
    write_json(tmp_path / "j", content)
    assert (tmp_path / "j").read_text() == json.dumps(content, indent=1) + "\n"
    write_json(tmp_path / "j", content, indent=None)
    assert (tmp_path / "j").read_text() == '{"a":[1,2.5],"b":null}'
    with pytest.raises(ValueError):
        write_json(tmp_path / "j", float("nan"))
    assert sorted(contents(tmp_path)) == ["j", "t"]


def test_hashes(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"abc")
    # the example of FIPS 180-2, appendix B.1
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of(tmp_path / "a") == digest
    assert hash_file(tmp_path / "a") == digest[:16]


def test_what_killed_processes_left_is_removed(tmp_path: Path) -> None:
    for name in ("a.json.12.tmp", "a.json", "b.json.7.tmp", "notes.txt"):
        (tmp_path / name).write_text("")
    remove_temporary(tmp_path, "a.json")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "b.json.7.tmp", "notes.txt"]
    remove_temporary(tmp_path, "*")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "notes.txt"]
