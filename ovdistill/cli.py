"""The command `ovdistill`: one subcommand per module.

To add a subcommand, write a module with ``main(argv: Sequence[str]) -> int`` (its exit code; bad
input is a ``UserError``) and name it in ``COMMANDS``. Only the module of the command that was
asked for is imported.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

from ovdistill import __version__
from ovdistill.errors import run_tool

# name: (module, one line of help)
COMMANDS: dict[str, tuple[str, str]] = {
    "doctor": ("ovdistill.doctor", "check the installation, and say how to fix it"),
    "init-dataset": ("ovdistill.init_dataset", "write a configuration for data of your own"),
}


def run(argv: Sequence[str]) -> int:
    """Runs one subcommand.

    Args:
        argv: the words after `ovdistill`.

    Returns:
        The subcommand's exit code.

    Raises:
        SystemExit: 2 for an unknown command or option, 0 after `--help` or `--version`.
        UserError: from the subcommand.
    """
    width = max(map(len, COMMANDS))
    parser = argparse.ArgumentParser(
        "ovdistill",
        description="Open-vocabulary detectors distilled from a frozen CLIP.",
        epilog="commands:\n"
        + "\n".join(f"  {name:{width}}  {text}" for name, (_, text) in COMMANDS.items())
        + "\n\n`ovdistill COMMAND --help` describes one.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"ovdistill {__version__}")
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="see below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="arguments of the command")
    args = parser.parse_args(argv)
    module, _ = COMMANDS[args.command]
    return importlib.import_module(module).main(args.arguments)


def main() -> NoReturn:
    """Entry point of the installed command."""
    run_tool(lambda: run(sys.argv[1:]))


if __name__ == "__main__":
    main()
