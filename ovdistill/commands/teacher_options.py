"""The options by which commands choose a teacher."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ovdistill.commands.checks import check_input_stays
from ovdistill.commands.options import ConfigOptions, complete_recipe, flag, option
from ovdistill.core.errors import UserError
from ovdistill.core.recipes import find_recipe

if TYPE_CHECKING:
    from ovdistill.teacher import Teacher

SHIPPED = {
    "ovshapes": dict(model="ovshapes", embedding_map="ovshapes-clip"),
    "ovshapes-plain": dict(model="ovshapes"),
}


@dataclass(frozen=True, kw_only=True)
class TeacherOptions(ConfigOptions):
    """Options of commands that need a teacher: by its name, or that of a config.

    Attributes:
        teacher: "MODEL", "MODEL:TAG", "MODEL:TAG=FILE", "MODEL:FILE", a folder, 'ovshapes' or
            'ovshapes-plain'.
        config: a config whose teacher is used if ``teacher`` is None.
        embedding_map: maps behind the teacher, applied in order, see ``core.embedding_map``.
        adapter: adapters around the teacher, applied in order, see ``teacher.adapter``.
        random_weights: use an untrained teacher.
        precision: of the image tower; None for the teacher's own.
        device: where it runs; None for a GPU if there is one.
    """

    teacher: str | None = option(
        None,
        metavar="MODEL[:TAG][=FILE]",
        help="open_clip model and its weights, a folder with both, 'ovshapes' (with CLIP's gap, as "
        "the recipes use it), or 'ovshapes-plain' (without)",
    )
    config: str | None = option(
        None,
        help="config or recipe whose teacher to use, also one of your own",
        completer=complete_recipe,
    )
    embedding_map: tuple[str, ...] = option(
        (),
        metavar="MAP",
        help="maps behind the teacher, one after another: a file of `ovdistill store centre`, or "
        "'ovshapes-clip'",
    )
    adapter: tuple[str, ...] = option(
        (),
        metavar="FILE",
        help="what the teacher has learned of a field: a file of `ovdistill teacher adapt`",
    )
    random_weights: bool = flag(help="use an untrained teacher, to try the code out")
    precision: Literal["fp32", "bf16", "fp16"] | None = option(
        None, help="number format of the teacher's image tower (default: fp32)"
    )
    device: str | None = option(None, help="cpu, cuda, cuda:1 (default: a GPU if there is one)")

    @property
    def names_a_teacher(self) -> bool:
        """Whether the teacher is another one than that of the config."""
        return bool(self.teacher or self.random_weights)

    def check_teacher(self) -> None:
        """Raise UserError if no teacher is named, or no config of that name is there."""
        if not self.teacher and not self.config:
            raise UserError(
                "no teacher; give --teacher ViT-B-32-quickgelu:openai or --config CONFIG"
            )
        if self.config:
            find_recipe(self.config)


def teacher_arguments(options: TeacherOptions) -> dict[str, Any]:
    """Return the arguments of the teacher, as ``teacher`` of a config has them.

    Raises:
        UserError: neither ``--teacher`` nor ``--config``, or a config without a teacher.
    """
    options.check_teacher()
    if options.teacher:
        arguments: dict[str, Any] = dict(parse_teacher(options.teacher))
    else:
        from ovdistill.models.config import load_config

        config = load_config(options.config or "", options.overrides)
        arguments = dict(config.get("teacher") or {})
        if not arguments:
            raise UserError(f"{options.config} names no teacher; give one with --teacher")
    if options.embedding_map:
        arguments["embedding_map"] = list(options.embedding_map)
    if options.adapter:
        arguments["adapter"] = list(options.adapter)
    if options.random_weights:
        arguments |= dict(random_weights=True, pretrained=None)
    if options.precision:
        arguments["precision"] = options.precision
    return arguments


def load_teacher(options: TeacherOptions) -> Teacher:
    """Build the teacher that the options name.

    Raises:
        UserError: none is named, no such device, or see ``build_teacher``.
    """
    arguments = teacher_arguments(options)  # reading a config may register the teacher's class
    from ovdistill.core.devices import choose_device
    from ovdistill.teacher import build_teacher

    return build_teacher(arguments, choose_device(options.device))


def parse_teacher(text: str) -> Mapping[str, str | None]:
    """Return the arguments of the teacher that a text names.

    "ViT-B-32-quickgelu:openai" is a model and its weights; "ovshapes" is the embedded benchmark's
    teacher with the geometry that the recipes use, "ovshapes-plain" the same without a gap.
    """
    if text.startswith("hf-hub:"):
        return dict(model=text)
    if text in SHIPPED:
        return SHIPPED[text]
    model, _, pretrained = text.partition(":")
    return dict(model=model, pretrained=pretrained or None)


def check_teacher_stays(
    out: Path, arguments: Mapping[str, Any], writes: Callable[[str], bool] | None = None
) -> None:
    """Raise UserError if a result would replace what its teacher is made of.

    Args:
        out: the file or folder of the result.
        arguments: of the teacher, see ``build_teacher``.
        writes: see ``check_input_stays``.
    """
    for path in _named_paths(arguments):
        check_input_stays(out, path, "of which the teacher is made", writes)


def _named_paths(arguments: Mapping[str, Any]) -> Iterator[Path]:
    """Yield what may be a path in the arguments of a teacher: weights, maps and adapters."""
    from ovdistill.teacher.open_clip_model import expand_model
    from ovdistill.teacher.weights import LOCAL_DIR, tag_and_file

    for given in arguments.values():
        for one in given if isinstance(given, (list, tuple)) else [given]:
            if one and isinstance(one, (str, Path)):
                text = expand_model(str(one)).removeprefix(LOCAL_DIR)
                yield from map(Path, filter(None, (text, tag_and_file(text)[1])))
