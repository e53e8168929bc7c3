"""The command `ovdistill`: the one front door.

A command is a function in a module of this folder that takes its options as a dataclass (see
``options``) and returns an exit code or None; bad input is a ``UserError``. To add one, write the
function and name it in ``COMMANDS``. Only the module of the command that was asked for is imported,
and heavy libraries are imported in the function, when its input has been looked at.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, Union

from ovdistill import __version__
from ovdistill.commands.options import add_options, options_class, read_options
from ovdistill.core.errors import run_tool
from ovdistill.core.logs import set_up_logs
from ovdistill.core.offline import go_offline

# name: ("module:function", one line of help), or (a group of commands, one line of help)
Commands = Mapping[str, tuple[Union[str, "Commands"], str]]

VOCAB: Commands = {
    "build": ("vocab.build:build", "encode class names with a teacher"),
    "import": ("vocab.import_embeddings:import_embeddings", "take embeddings that were published"),
    "learn": ("vocab.learn:learn", "learn prompts from regions of base classes"),
    "show": ("vocab.show:show", "list the class names of a file, and who made it"),
    "diff": ("vocab.diff:diff", "say in what two files differ"),
    "nearest": ("vocab.nearest:nearest", "find the class names nearest to a text"),
}
STORE: Commands = {
    "info": ("store:info", "say what a store is, and what is there of it"),
    "verify": ("store:verify", "read everything and compare the checksums"),
    "merge": ("store:merge", "join stores of different images"),
}
COMMANDS: Commands = {
    "train": ("train:train", "train a detector"),
    "test": ("test:test", "measure base and novel AP of a detector"),
    "predict": ("predict:predict", "find what a text describes in images"),
    "prepare": ("prepare:prepare", "make what a training needs, and stop"),
    "extract": ("extract:extract", "make a store of the teacher's region embeddings"),
    "vocab": (VOCAB, "make and compare vocabulary files"),
    "store": (STORE, "check, describe and join stores"),
    "compare": ("compare:compare", "train and test methods side by side"),
    "summarize": ("summarize:summarize", "average the metrics of several test runs"),
    "publish": ("publish:publish", "pack a trained detector to hand out"),
    "init-dataset": ("init_dataset:init_dataset", "write a config for data of your own"),
    "make-ovshapes": ("make_ovshapes:make_ovshapes", "draw the embedded benchmark"),
    "prepare-lvis": ("prepare_lvis:prepare_lvis", "check LVIS v1 and write its base annotations"),
    "prepare-coco": ("prepare_coco:prepare_coco", "check COCO 2017 and write OV-COCO's files"),
    "prepare-voc": ("prepare_voc:prepare_voc", "write PASCAL VOC in COCO's format"),
    "train-teacher": ("train_teacher:train_teacher", "train the embedded benchmark's teacher"),
    "doctor": ("doctor:doctor", "check the installation, and say how to fix it"),
    "version": ("version:version", "print the versions of ovdistill and its libraries"),
}


def run(argv: Sequence[str]) -> int | None:
    """Run the command that the words name.

    Args:
        argv: the words after `ovdistill`.

    Returns:
        The command's exit code.

    Raises:
        SystemExit: 2 for an unknown command or option, 0 after `--help` or `--version`.
        UserError: from the command.
    """
    parser = group_parser("ovdistill", COMMANDS, "Open-vocabulary detectors distilled from CLIP.")
    parser.add_argument("--version", action="version", version=f"ovdistill {__version__}")
    if "_ARGCOMPLETE" in os.environ:
        complete(parser)
    program, commands, words = "ovdistill", COMMANDS, list(argv)
    while True:
        found = parser.parse_args(words[:1])
        target, help_line = commands[found.command]
        program, words = f"{program} {found.command}", words[1:]
        if isinstance(target, str):
            break
        commands = target
        parser = group_parser(program, commands, help_line)
    command = load_command(target)
    parser = command_parser(program, command)
    options = read_options(options_class(command), parser.parse_args(words))
    set_up_logs(options.level, options.quiet)
    if getattr(options, "offline", False):
        go_offline()  # before the hub's library is imported
    return command(options)


def group_parser(program: str, commands: Commands, description: str) -> argparse.ArgumentParser:
    """Make the parser that chooses one of several commands."""
    width = max(map(len, commands))
    lines = [f"  {name:{width}}  {help_line}" for name, (_, help_line) in commands.items()]
    parser = argparse.ArgumentParser(
        program,
        description=description,
        epilog="\n".join(["commands:", *lines, "", f"`{program} COMMAND --help` describes one."]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage=f"{program} [-h] COMMAND ...",
    )
    parser.add_argument("command", choices=commands, metavar="COMMAND", help="see below")
    return parser


def command_parser(program: str, command: Callable[..., Any]) -> argparse.ArgumentParser:
    """Make the parser of a command from its options; the module's text is the description."""
    parser = argparse.ArgumentParser(
        program,
        description=sys.modules[command.__module__].__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(parser, options_class(command))
    return parser


def load_command(target: str) -> Callable[..., int | None]:
    """Import the function that 'module:function' of this folder names."""
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(f"ovdistill.commands.{module}"), name)


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell's question for completions, with all commands and their options."""
    import argcomplete

    parser = argparse.ArgumentParser("ovdistill")
    _add_all(parser, "ovdistill", COMMANDS)
    argcomplete.autocomplete(parser)


def _add_all(parser: argparse.ArgumentParser, program: str, commands: Commands) -> None:
    choices = parser.add_subparsers()
    for name, (target, help_line) in commands.items():
        chosen = choices.add_parser(name, help=help_line)
        if isinstance(target, str):
            add_options(chosen, options_class(load_command(target)))
        else:
            _add_all(chosen, f"{program} {name}", target)


def main(*words: str) -> NoReturn:
    """Run the words given here and those of the command line, and exit.

    Args:
        words: what comes before the command line's words, e.g. "train" in ``tools/train.py``.
    """
    run_tool(lambda: run([*words, *sys.argv[1:]]))


if __name__ == "__main__":
    main()
