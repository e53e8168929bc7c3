"""An output that cannot be written is one error, before any work, and leaves nothing behind."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovdistill.commands.command_table import ADAPT, COMMANDS, Commands, load_command
from ovdistill.commands.main import run
from ovdistill.commands.options import options_class
from ovdistill.core.errors import UserError, run_tool
from ovdistill.core.files import check_output_file, check_output_folder

# the words of a command that writes, but for the path; what they read need not exist
WRITING = {
    "predict": "predict -o",
    "index": "index none -o",
    "search": "search none star -o",
    "train": "train vild_r18_shapes --work-dir",
    "test": "test vild_r18_shapes none.pth -o",
    "extract": "extract --config vild_r18_shapes -o",
    "vocab build": "vocab build --names a,b --teacher ovshapes -o",
    "vocab import": "vocab import none.npy --names a,b --teacher ovshapes -o",
    "vocab learn": "vocab learn --teacher ovshapes -o",
    "store merge": "store merge none -o",
    "store centre": "store centre none --vocabulary none -o",
    "store map": "store map none ovshapes-clip -o",
    "teacher evaluate": "teacher evaluate --config vild_r18_shapes -o",
    "teacher train": "teacher train --config teacher_shapes -o",
    "teacher refine": "teacher refine --teacher ovshapes --images . -o",
    "teacher shapes-geometry": "teacher shapes-geometry -o",
    **{
        f"teacher adapt {method}": f"teacher adapt {method} --config vild_r18_shapes -o"
        for method in ADAPT
    },
    "compare": "compare -o",
    "report": "report none -o",
    "calibrate": "calibrate ovshapes --annotations none --images none -o",
    "export": "export ovshapes --text star -o",
    "publish": "publish vild_r18_shapes none.pth -o",
    "init-dataset": "init-dataset none.json -o",
    "make-ovshapes": "make-ovshapes --root",
    "prepare-lvis": "prepare-lvis . -o",
    "prepare-coco": "prepare-coco . -o",
    "prepare-voc": "prepare-voc . -o",
}
FILES = (
    "vocab build",
    "vocab import",
    "vocab learn",
    "store centre",
    *(f"teacher adapt {method}" for method in ADAPT if method != "fine-tune"),
    "calibrate",
    "export",
    "init-dataset",
    "prepare-voc",
)


def names(commands: Commands = COMMANDS, before: str = "") -> Iterator[tuple[str, str]]:
    for name, (target, _) in commands.items():
        if isinstance(target, str):
            yield f"{before}{name}", target
        else:
            yield from names(target, f"{before}{name} ")


def test_every_command_that_writes_is_known() -> None:
    for name, target in names():
        fields = options_class(load_command(target)).__dataclass_fields__
        assert not {"out", "work_dir"} & fields.keys() or name in WRITING, name
        if "out" in fields:
            assert fields["out"].metadata["writes"] == ("file" if name in FILES else "folder")


@pytest.mark.parametrize("words", WRITING.values(), ids=WRITING)
@pytest.mark.parametrize("place", ["FILE/x", "/proc/x/y", "LONG"])
def test_a_place_that_cannot_be_written_to(words: str, place: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "FILE").write_text("kept")
    path = "n" * 300 if place == "LONG" else place
    with pytest.raises(UserError, match=path[:200]):
        run([*words.split(), path])
    assert [p.name for p in tmp_path.iterdir()] == ["FILE"]
    assert (tmp_path / "FILE").read_text() == "kept"


@pytest.mark.parametrize("name", WRITING)
def test_a_file_where_a_folder_is_meant_and_the_reverse(name: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("kept")
    (tmp_path / "folder").mkdir()
    wrong = "folder" if name in FILES else "file"
    with pytest.raises(UserError, match=wrong):
        run([*WRITING[name].split(), wrong])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Let no file of this process grow beyond 500 bytes."""
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("words", WRITING.values(), ids=WRITING)
def test_a_full_disk(words: str, full_disk, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="no space"):
        run([*words.split(), "new/below"])
    assert list(tmp_path.iterdir()) == []


def test_places_that_can_be_written_to(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in ("a", "a/b/c", tmp_path, tmp_path / "x" / "y", "."):
        check_output_folder(path)
        if path not in (".", tmp_path):
            check_output_file(path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "lost").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UserError, match="lost"):
        check_output_folder(tmp_path / "lost" / "a")


@pytest.mark.parametrize("path", ["a\n/b", "a"])
def test_a_file_that_cannot_be_opened_is_one_line(path: str, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        run_tool(lambda: os.open(path, os.O_RDONLY))
    assert stopped.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
