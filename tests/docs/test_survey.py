"""docs/survey.md: every row has code that is there and commands that can be given."""

from __future__ import annotations

import re
import shlex

import pytest

from ovdistill.commands.main import parse
from ovdistill.core.recipes import find_recipe

from .documented import ROOT

PAGE = (ROOT / "docs" / "survey.md").read_text(encoding="utf-8")
COLUMNS = ["method", "what it is", "code", "command", "OVShapes", "published"]
MARKS = "SPR2DM"  # how a published figure was obtained; the page says what each means
NONE = "—"


def rows() -> list[list[str]]:
    """The cells of every row of every table."""
    lines = [line for line in PAGE.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in cells if row != COLUMNS and not set(row[0]) <= set("-|")]


ROWS = rows()
by_method = pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])


def test_the_tables_have_the_same_columns_and_no_method_twice():
    headers = [line for line in PAGE.splitlines() if line.startswith("| method")]
    assert len(headers) == PAGE.count("\n## ")
    assert all(header == f"| {' | '.join(COLUMNS)} |" for header in headers)
    assert len(ROWS) > 20 and all(len(row) == len(COLUMNS) for row in ROWS)
    assert len({row[0] for row in ROWS}) == len(ROWS)


@by_method
def test_code_is_there(row):
    paths = re.findall(r"\]\(\.\./([^)]+)\)", row[2])
    assert paths
    for path in paths:
        assert (ROOT / path).exists(), path


@by_method
def test_commands_can_be_given(row):
    commands = re.findall(r"`(ovdistill [^`]+)`", row[3])
    assert commands or row[3] == NONE
    for command in commands:
        _, options = parse(shlex.split(command)[1:])
        config = getattr(options, "config", None)
        if config and not config.isupper():
            find_recipe(config)


@by_method
def test_published_figures_say_how_they_were_obtained(row):
    """A letter follows each number, or the last one of a list."""
    figures = [*re.finditer(r"\d+\.\d+", row[5])]
    assert figures or row[5] == NONE
    for figure in figures:
        found = re.match(rf"(?:(?: / | and )\d+\.\d+)* ([{MARKS}])\b", row[5][figure.end() :])
        assert found and f"**{found[1]}**" in PAGE
