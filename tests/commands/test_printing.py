"""Names of unknown origin are text in every output: no escape codes, no line breaks, no markup."""

from __future__ import annotations

import io
import logging
import sys

import pytest

from ovdistill.commands.printing import cells, print_lines
from ovdistill.commands.summarize import SummarizeOptions, summarize
from ovdistill.commands.vocab import show as show_module
from ovdistill.core.logs import set_up_logs, show_any_character
from ovdistill.evaluation.report import print_table

HOSTILE = "a[red]\x1b[31m\n\u202eb"
SHOWN = "a[red]\\x1b[31m\\n\\u202eb"


def test_lines_and_cells(capsys) -> None:
    print_lines([HOSTILE, "1\t2"])
    assert capsys.readouterr().out == f"{SHOWN}\n1\t2\n"
    assert [cell.plain for cell in cells([HOSTILE])] == [SHOWN]


@pytest.mark.parametrize("terminal", [False, True])
def test_vocab_show(terminal: bool, capsys, monkeypatch) -> None:
    header = type("Header", (), {"teacher": "t"})
    monkeypatch.setattr(show_module, "read_header", lambda path: header)
    monkeypatch.setattr(show_module, "provenance", lambda header: {"templates": HOSTILE})
    monkeypatch.setattr(show_module, "table_rows", lambda header: [(HOSTILE, "base", "-", "\t")])
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", "150")
    show_module.show(show_module.ShowOptions(file="v"))
    printed = capsys.readouterr().out
    assert printed.count(SHOWN) == 2 and "\\t" in printed
    assert "\x1b[31m" not in printed and "\u202e" not in printed


def test_the_title_of_a_table(capsys) -> None:
    print_table({"bbox/AP": 10.0}, title=f"{HOSTILE}/last.pth")
    printed = capsys.readouterr().out
    assert "[red]" in printed and "\x1b[31m" not in printed


def test_summarize_writes_names_as_markdown(tmp_path, capsys) -> None:
    (tmp_path / "metrics.json").write_text('{"bbox/AP": 1.5}')
    summarize(SummarizeOptions(rows=(f"a|b\n`c={tmp_path}",), keys=("bbox/AP",)))
    assert "| a\\|b\\\\n\\`c | 1 | 1.5 |" in capsys.readouterr().out


def test_log_messages(capsys, monkeypatch) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    set_up_logs("INFO", quiet=False)
    logging.getLogger("ovdistill").warning("file %s", HOSTILE.replace("\n", ""))
    assert capsys.readouterr().err == f"WARNING: file {SHOWN.replace(chr(92) + 'n', '')}\n"


def test_a_terminal_that_lacks_a_character(monkeypatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    show_any_character()
    print("猫", flush=True)
    assert raw.getvalue() == b"\\u732b\n"
