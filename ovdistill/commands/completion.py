"""Completion in the shell, by argcomplete: commands, options, the names of recipes, and files."""

from __future__ import annotations

import argparse
import os
from collections.abc import Container

from ovdistill.commands.command_table import COMMANDS, Commands, load_command
from ovdistill.commands.options import add_options, options_class


def complete(*words: str) -> None:
    """Answer the shell, which has put its question into the environment, and exit.

    Args:
        words: the command that the script runs; none for `ovdistill` itself.
    """
    import argcomplete

    typed = {*words, *os.environ.get("COMP_LINE", "").split()}
    parser = argparse.ArgumentParser()
    if words:
        target, _ = COMMANDS[words[0]]
        add_command(parser, target, typed)
    else:
        add_command(parser, COMMANDS, typed)
    argcomplete.autocomplete(parser)


def add_command(
    parser: argparse.ArgumentParser, target: str | Commands, typed: Container[str]
) -> None:
    """Fill a parser with a command's options, or with the commands of a group.

    Args:
        parser: to be filled.
        target: the command or the group.
        typed: the words of the command line; only commands among them are imported.
    """
    if isinstance(target, str):
        add_options(parser, options_class(load_command(target)))
        return
    choices = parser.add_subparsers()
    for name, (part, help_line) in target.items():
        chosen = choices.add_parser(name, help=help_line)
        if name in typed:
            add_command(chosen, part, typed)
