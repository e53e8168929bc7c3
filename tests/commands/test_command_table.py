"""Every command of the table is there, and takes its options in one form."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from ovdistill.commands.command_table import COMMANDS, Commands, load_command
from ovdistill.commands.options import CommonOptions, options_class


def targets(commands: Commands = COMMANDS) -> Iterator[str]:
    for target, _ in commands.values():
        if isinstance(target, str):
            yield target
        else:
            yield from targets(target)


@pytest.mark.parametrize("target", [*targets()])
def test_a_command_takes_a_frozen_dataclass_of_keywords(target: str) -> None:
    options = options_class(load_command(target))
    assert issubclass(options, CommonOptions)
    assert options.__dataclass_params__.frozen
    fields = dataclasses.fields(options)
    assert all(field.kw_only and "help" in field.metadata for field in fields)


def test_lines_of_help_are_like_one_another() -> None:
    for commands in (COMMANDS, *(t for t, _ in COMMANDS.values() if not isinstance(t, str))):
        for _, line in commands.values():
            assert line[0].islower() and not line.endswith(".") and len(line) < 60
