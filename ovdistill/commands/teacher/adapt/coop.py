"""Learn the words around class names (CoOp), as a vocabulary.

    ovdistill teacher adapt coop --config vild_r18_shapes --shots 16 -o prompts.safetensors
    ovdistill train vild_r18_shapes --cfg-options vocabulary=prompts.safetensors

By the loop of `ovdistill vocab learn` with CoOp's own steps, from few regions or without labels,
and with a report on base and novel names (docs/teacher_adaptation.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from ovdistill.commands.options import flag, option
from ovdistill.commands.teacher.adapt.options import AdaptOptions
from ovdistill.core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class CoOpOptions(AdaptOptions):
    """Options of ``ovdistill teacher adapt coop``."""

    context: int | None = option(
        None, help="number of context vectors, which start at random (default: 16)", least=1
    )
    init: str | None = option(
        None,
        metavar="TEXT",
        help="text the context starts from, such as 'a photo of a', instead of --context",
    )
    class_contexts: bool = flag(
        help="learn a context for each base class; other names take the mean of them"
    )


def coop(options: CoOpOptions) -> None:
    """Learn the context of class names.

    Raises:
        UserError: see ``adapt``.
    """
    if options.context is not None and options.init is not None:
        raise UserError("got --context and --init: give one of them.")
    options.check()
    from ovdistill.commands.teacher.adapt.run import adapt
    from ovdistill.teacher_training.adapt.coop import CoOpMethod

    adapt(options, options.method(CoOpMethod))
