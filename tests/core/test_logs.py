"""Progress is a bar on a terminal, lines in a file, nothing when quiet."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator

import pytest

from ovdistill.core import logs
from ovdistill.core.logs import QUIET, progress, set_up_logs


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Restore the levels and handlers, and the environment, that set_up_logs changes."""
    root, own = logging.getLogger(), logging.getLogger("ovdistill")
    before = root.level, own.level, list(root.handlers)
    monkeypatch.setenv(QUIET, "")
    yield
    root.setLevel(before[0])
    own.setLevel(before[1])
    root.handlers[:] = before[2]


def test_lines_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "SECONDS_PER_LINE", 0.0)
    monkeypatch.setattr(logs, "SECONDS_TO_FIRST_LINE", 0.0)
    assert list(progress(range(3), title="reading", unit="image")) == [0, 1, 2]
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert all(line.startswith("reading: ") and "\r" not in line for line in lines)
    assert "3 of 3 image" in lines[-1]


def test_what_is_done_at_once_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress(range(3), title="reading", unit="image")) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")


def test_few_lines_and_not_one_per_item(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "SECONDS_TO_FIRST_LINE", 0.0)
    for _ in progress(range(1000), title="reading", unit="image"):
        pass
    assert len(capsys.readouterr().err.splitlines()) <= 3


def test_a_bar_that_is_moved_by_hand_and_one_that_is_removed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "SECONDS_TO_FIRST_LINE", 0.0)
    with progress(title="writing", unit="file", total=4) as bar:
        bar.update(4)
    assert "4 of 4 file" in capsys.readouterr().err
    list(progress(range(2), title="checking", unit="shard", leave=False))
    assert all(line.strip() for line in capsys.readouterr().err.splitlines())


def test_a_bar_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert list(progress(range(2), title="reading", unit="image")) == [0, 1]
    assert "\r" in capsys.readouterr().err


@pytest.mark.parametrize("terminal", [True, False])
def test_nothing_when_quiet_or_disabled(
    terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    assert list(progress(range(2), title="reading", unit="image", disable=True)) == [0, 1]
    set_up_logs("INFO", quiet=True)
    assert list(progress(range(2), title="reading", unit="image")) == [0, 1]
    with progress(title="writing", unit="file", total=4) as bar:
        bar.update(4)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("level", "others"),
    [("DEBUG", "DEBUG"), ("INFO", "WARNING"), ("WARNING", "WARNING"), ("ERROR", "ERROR")],
)
def test_levels(level: str, others: str) -> None:
    logging.getLogger().handlers[:] = []
    set_up_logs(level, quiet=False)
    assert logging.getLogger("ovdistill.store").getEffectiveLevel() == getattr(logging, level)
    assert logging.getLogger("another").getEffectiveLevel() == getattr(logging, others)
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, logging.StreamHandler) and handler.stream is sys.stderr
