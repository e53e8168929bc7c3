"""The command `ovdistill`: it reads the command line and calls one of ``COMMANDS``.

Only the module of the command that was asked for is imported.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from ovdistill.commands.checks import check_outputs
from ovdistill.commands.command_table import COMMANDS, Commands, load_command
from ovdistill.commands.component_errors import clearer_error
from ovdistill.commands.options import CommonOptions, add_options, options_class, read_options
from ovdistill.core.errors import run_tool
from ovdistill.core.logs import set_up_logs, show_any_character
from ovdistill.core.offline import go_offline
from ovdistill.core.version import VERSION

DESCRIPTION = """\
Open-vocabulary detectors and instance segmenters, distilled from a frozen CLIP.

eval "$(register-python-argcomplete ovdistill)" lets the shell complete commands and recipes."""


def run(argv: Sequence[str]) -> int | None:
    """Run a command.

    Args:
        argv: the words after `ovdistill`.

    Returns:
        The command's exit code.

    Raises:
        SystemExit: see ``parse``.
        UserError: from the command.
    """
    return call(*parse(argv))


def parse(argv: Sequence[str]) -> tuple[Callable[[Any], int | None], CommonOptions]:
    """Return the command that the words name, and its options.

    Raises:
        SystemExit: 2 for an unknown command or option, 0 after `--help` or `--version`.
        UserError: an option with a value that is not possible.
    """
    parser = group_parser("ovdistill", COMMANDS, DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"ovdistill {VERSION}")
    program, commands, words = "ovdistill", COMMANDS, list(argv)
    while True:
        found = parser.parse_args(words[:1])
        target, help_line = commands[found.command]
        program, words = f"{program} {found.command}", words[1:]
        if isinstance(target, str):
            break
        commands = target
        parser = group_parser(program, commands, f"{help_line.capitalize()}.")
    command = load_command(target)
    parser = command_parser(program, command)
    return command, read_options(options_class(command), parser.parse_args(words))


def run_options(command: Callable[[Any], int | None]) -> NoReturn:
    """Run one function as a script of its own, with the options that it takes, and exit.

    Args:
        command: takes its options as a dataclass; the text of its module is the help.
    """

    def work() -> int | None:
        found = command_parser(os.path.basename(sys.argv[0]), command).parse_args()
        return call(command, read_options(options_class(command), found))

    run_tool(work)


def call(command: Callable[[Any], int | None], options: CommonOptions) -> int | None:
    """Call a command after its common options took effect; return its exit code.

    Raises:
        UserError: an output that cannot be written, or see the command.
    """
    show_any_character()
    set_up_logs(options.level, quiet=options.quiet)
    check_outputs(options)
    if getattr(options, "offline", False):
        go_offline()  # before the hub's library is imported
    try:
        return command(options)
    except Exception as error:
        if clear := clearer_error(error):
            raise clear from error
        raise


def group_parser(program: str, commands: Commands, description: str) -> argparse.ArgumentParser:
    """Make the parser that chooses one of several commands."""
    width = max(map(len, commands))
    lines = [f"  {name:{width}}  {help_line}" for name, (_, help_line) in commands.items()]
    hint = f"`{program} COMMAND --help` describes a command."
    parser = argparse.ArgumentParser(
        program,
        description=description,
        epilog="\n".join(["commands:", *lines, "", hint]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage=f"{program} [-h] COMMAND ...",
    )
    parser.add_argument("command", choices=commands, metavar="COMMAND", help="one of those below")
    return parser


def command_parser(program: str, command: Callable[..., Any]) -> argparse.ArgumentParser:
    """Make the parser of a command; the text of its module is the description."""
    parser = argparse.ArgumentParser(
        program,
        description=sys.modules[command.__module__].__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(parser, options_class(command))
    return parser


def main(*words: str) -> NoReturn:
    """Run the words given here and those of the command line, and exit; see ``__main__``.

    Args:
        words: what comes before the words of the command line: "train" in ``tools/train.py``.
    """
    if "_ARGCOMPLETE" in os.environ:  # the shell asks what could come next
        from ovdistill.commands.completion import complete

        complete(*words)
    run_tool(lambda: run([*words, *sys.argv[1:]]))


if __name__ == "__main__":
    main()
