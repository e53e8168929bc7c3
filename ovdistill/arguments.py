"""Command-line arguments that several commands share.

Nothing heavy is imported here: ``--offline`` must be read before the hub's library is.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from ovdistill.errors import UserError

if TYPE_CHECKING:
    from ovdistill.teacher import Teacher

OFFLINE_VARIABLES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "OVDISTILL_OFFLINE")


def add_offline_argument(parser: argparse.ArgumentParser) -> None:
    """Adds ``--offline``, which takes effect as it is read."""
    parser.add_argument(
        "--offline", action=_Offline, nargs=0, help="never download; use what is here already"
    )


def add_teacher_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds ``--teacher``, ``--config`` and what goes with them; for ``teacher_of``."""
    add = parser.add_argument
    add(
        "--teacher",
        metavar="MODEL[:PRETRAINED|:PATH]",
        help="open_clip model and its weights, a directory of both, or 'ovshapes'",
    )
    add("--config", help="take the teacher (also one of your own) from this config")
    add("--random-weights", action="store_true", help="an untrained teacher, to try the code out")
    add(
        "--precision",
        choices=["fp32", "bf16", "fp16"],
        help="of the teacher's image tower (default: fp32)",
    )
    add("--device", help="cpu, cuda, cuda:1 (default: a GPU if there is one)")
    add_offline_argument(parser)


def teacher_of(args: argparse.Namespace) -> Teacher:
    """Builds the teacher that the arguments name.

    Raises:
        UserError: none or two are named, or see ``build_teacher``.
    """
    from ovdistill.teacher import build_teacher

    return build_teacher(teacher_options(args), args.device or default_device())


def teacher_options(args: argparse.Namespace) -> dict:
    """The arguments as a config's ``teacher``.

    Raises:
        UserError: neither ``--teacher`` nor ``--config``, or a config without a teacher.
    """
    if args.teacher:
        options = parse_teacher(args.teacher)
    elif args.config:
        from ovdistill.build import load_config

        options = load_config(args.config, vars(args).get("cfg_options")).get("teacher")
        if not options:
            raise UserError(f"{args.config} names no teacher; give one with --teacher")
    else:
        raise UserError("no teacher; give --teacher ViT-B-32-quickgelu:openai or --config CONFIG")
    options = dict(options)
    if args.random_weights:
        options |= dict(random_weights=True, pretrained=None)
    if args.precision:
        options["precision"] = args.precision
    return options


def parse_teacher(text: str) -> dict[str, str | None]:
    """ "ViT-B-32:openai" -> the arguments of ``OpenCLIPTeacher``."""
    if text.startswith("hf-hub:"):
        return dict(model=text)
    model, _, pretrained = text.partition(":")
    return dict(model=model, pretrained=pretrained or None)


def default_device() -> str:
    """A GPU if there is one."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


class _Offline(argparse.Action):
    def __call__(self, *_: object) -> None:
        for variable in OFFLINE_VARIABLES:
            os.environ[variable] = "1"
