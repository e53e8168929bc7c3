"""The command `ovdistill`: one subcommand per module.

To add a subcommand, write a module with ``main(argv: Sequence[str]) -> int | None`` (its exit code;
bad input is a ``UserError``) and name it in ``COMMANDS``. A module may in turn choose between
several with ``run_command``. Only the module of the command that was asked for is imported.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from ovdistill import __version__
from ovdistill.errors import run_tool

# name: (module, one line of help)
Commands = Mapping[str, tuple[str, str]]
COMMANDS: Commands = {
    "extract": ("ovdistill.commands.extract", "make a store of the teacher's region embeddings"),
    "store": ("ovdistill.commands.store", "check, describe and join such stores"),
    "vocab": ("ovdistill.commands.vocab", "make and compare files of words"),
    "doctor": ("ovdistill.doctor", "check the installation, and say how to fix it"),
    "init-dataset": ("ovdistill.init_dataset", "write a configuration for data of your own"),
}


def run(argv: Sequence[str]) -> int | None:
    """Runs one subcommand of `ovdistill`; see ``run_command``."""
    description = "Open-vocabulary detectors distilled from a frozen CLIP."
    return run_command("ovdistill", description, COMMANDS, argv)


def run_command(
    program: str, description: str, commands: Commands, argv: Sequence[str]
) -> int | None:
    """Runs one of several commands.

    Args:
        program: the words before the command.
        description: of all of them.
        commands: their modules.
        argv: the words after ``program``.

    Returns:
        The command's exit code.

    Raises:
        SystemExit: 2 for an unknown command or option, 0 after `--help` or `--version`.
        UserError: from the command.
    """
    width = max(map(len, commands))
    parser = argparse.ArgumentParser(
        program,
        description=description,
        epilog="commands:\n"
        + "\n".join(f"  {name:{width}}  {text}" for name, (_, text) in commands.items())
        + f"\n\n`{program} COMMAND --help` describes one.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"ovdistill {__version__}")
    parser.add_argument("command", choices=commands, metavar="COMMAND", help="see below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="arguments of the command")
    args = parser.parse_args(argv)
    module, _ = commands[args.command]
    return importlib.import_module(module).main(args.arguments)


def main() -> NoReturn:
    """Entry point of the installed command."""
    run_tool(lambda: run(sys.argv[1:]))


if __name__ == "__main__":
    main()
