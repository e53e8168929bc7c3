"""Learn prompts of both towers together: pixels around the image, a context of names (UPT).

    ovdistill teacher adapt upt --config vild_r18_shapes -o field.safetensors
    ovdistill train vild_r18_shapes --cfg-options teacher.adapter=field.safetensors \
        vocabulary=work_dirs/field/vocabulary.safetensors regions=work_dirs/field/regions

Class names take the learned context wherever the adapter is used (docs/teacher_adaptation.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from ovdistill.commands.options import option
from ovdistill.commands.teacher.adapt.options import AdaptOptions


@dataclass(frozen=True, kw_only=True)
class UptOptions(AdaptOptions):
    """Options of ``ovdistill teacher adapt upt``."""

    init: str | None = option(
        None, metavar="TEXT", help="text that the context starts from (default: a photo of a)"
    )
    visual: int | None = option(None, help="visual prompts of the network (default: 8)", least=1)
    width: int | None = option(
        None, help="of the frame's sides, pixels (default: 30 of 224)", least=1
    )


def upt(options: UptOptions) -> None:
    """Learn prompts of both towers.

    Raises:
        UserError: see ``adapt``.
    """
    options.check()
    from ovdistill.commands.teacher.adapt.run import adapt
    from ovdistill.teacher_training.adapt.upt import UnifiedPromptsMethod

    adapt(options, options.method(UnifiedPromptsMethod))
