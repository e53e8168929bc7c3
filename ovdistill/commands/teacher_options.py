"""Options that say which teacher to use, shared by the commands that need one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ovdistill.commands.options import ConfigOptions, flag, option
from ovdistill.core.errors import UserError

if TYPE_CHECKING:
    from ovdistill.teacher import Teacher


@dataclass(frozen=True, kw_only=True)
class TeacherOptions(ConfigOptions):
    """A teacher by its name, or that of a config.

    Attributes:
        teacher: "MODEL", "MODEL:PRETRAINED", "MODEL:PATH", a directory, or 'ovshapes'.
        config: a config whose teacher is taken instead.
        random_weights: an untrained teacher.
        precision: of the image tower.
        device: where it runs; a GPU if there is one.
    """

    teacher: str | None = option(
        None,
        metavar="MODEL[:PRETRAINED|:PATH]",
        help="open_clip model and its weights, a directory of both, or 'ovshapes'",
    )
    config: str | None = option(
        None, help="take the teacher (also one of your own) from this config"
    )
    random_weights: bool = flag(help="an untrained teacher, to try the code out")
    precision: Literal["fp32", "bf16", "fp16"] | None = option(
        None, help="of the teacher's image tower (default: fp32)"
    )
    device: str | None = option(None, help="cpu, cuda, cuda:1 (default: a GPU if there is one)")


def teacher_arguments(options: TeacherOptions) -> dict[str, Any]:
    """Return the teacher as a config's ``teacher`` writes it.

    Raises:
        UserError: neither ``--teacher`` nor ``--config``, or a config without a teacher.
    """
    if options.teacher:
        arguments: dict[str, Any] = dict(parse_teacher(options.teacher))
    elif options.config:
        from ovdistill.models.config import load_config

        arguments = dict(load_config(options.config, options.overrides).get("teacher") or {})
        if not arguments:
            raise UserError(f"{options.config} names no teacher; give one with --teacher")
    else:
        raise UserError("no teacher; give --teacher ViT-B-32-quickgelu:openai or --config CONFIG")
    if options.random_weights:
        arguments |= dict(random_weights=True, pretrained=None)
    if options.precision:
        arguments["precision"] = options.precision
    return arguments


def load_teacher(options: TeacherOptions) -> Teacher:
    """Build the teacher that the options name.

    Raises:
        UserError: none is named, or see ``build_teacher``.
    """
    arguments = teacher_arguments(options)  # a config may import the class of a teacher
    from ovdistill.core.devices import choose_device
    from ovdistill.teacher import build_teacher

    return build_teacher(arguments, choose_device(options.device))


def parse_teacher(text: str) -> dict[str, str | None]:
    """Split "ViT-B-32:openai" into the arguments of ``OpenCLIPTeacher``."""
    if text.startswith("hf-hub:"):
        return dict(model=text)
    model, _, pretrained = text.partition(":")
    return dict(model=model, pretrained=pretrained or None)
