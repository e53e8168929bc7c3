"""Write the page of all commands, from the table of commands and the parser of each."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator

from markdown_text import escape, fence_indented, table

from ovdistill.commands.command_table import COMMANDS, Commands, load_command
from ovdistill.commands.main import command_parser
from ovdistill.commands.options import CommonOptions, add_options

INTRODUCTION = """\
# Commands

What `ovdistill COMMAND --help` prints. `python -m ovdistill` is the same as `ovdistill`. The exit
codes are in [Security](security.md#how-a-command-ends).

Every command takes:
"""
COMMON = {field.name for field in dataclasses.fields(CommonOptions)}


def command_reference() -> str:
    """Return the page as Markdown."""
    parser = argparse.ArgumentParser(add_help=False)
    add_options(parser, CommonOptions)
    sections = [section(program, target) for program, target in flatten("ovdistill", COMMANDS)]
    return "\n\n".join([INTRODUCTION, options_table(parser._actions), *sections])


def flatten(program: str, commands: Commands) -> Iterator[tuple[str, str]]:
    """Yield every command with its "module:function", those of groups too."""
    for name, (target, _) in commands.items():
        if isinstance(target, str):
            yield f"{program} {name}", target
        else:
            yield from flatten(f"{program} {name}", target)


def section(program: str, target: str) -> str:
    """Return what one command does, takes and prints."""
    parser = command_parser(program, load_command(target))
    actions = [
        action for action in parser._actions if action.dest not in COMMON and action.dest != "help"
    ]
    arguments = [action for action in actions if not action.option_strings]
    options = [action for action in actions if action.option_strings]
    usage = " ".join([program, *map(argument_usage, arguments), *["[OPTIONS]"] * bool(options)])
    parts = [f"## {program}", f"```text\n{usage}\n```", fence_indented(parser.description or "")]
    if actions:
        parts.append(options_table(arguments + options))
    return "\n\n".join(parts)


def argument_usage(action: argparse.Action) -> str:
    """Return a positional argument as usage lines have it: in brackets if it may be absent."""
    name = str(action.metavar)
    shown = f"{name} ..." if action.nargs in ("*", "+") else name
    return f"[{shown}]" if action.nargs in ("*", "?") else shown


def options_table(actions: list[argparse.Action]) -> str:
    """Return a table of arguments and options; those without help are not for people."""
    rows = [
        [spelling(action), escape((action.help or "").replace("%%", "%"))]
        for action in actions
        if action.help != argparse.SUPPRESS
    ]
    return table(["option", "meaning"], rows)


def spelling(action: argparse.Action) -> str:
    """Return how an option is written, with its value: "`-o`, `--out PATH`"."""
    if not action.option_strings:
        return f"`{action.metavar}`"
    *short, last = action.option_strings
    return ", ".join([*(f"`{name}`" for name in short), f"`{last}{value(action)}`"])


def value(action: argparse.Action) -> str:
    """Return what stands behind an option: nothing, its values, or a name of its value."""
    if action.nargs == 0:
        return ""
    if action.choices is not None:
        name = "{" + ",".join(map(str, action.choices)) + "}"
    else:
        name = str(action.metavar or action.dest.upper())
    return {"?": f" [{name}]", "+": f" {name} ..."}.get(str(action.nargs), f" {name}")
