"""Learn pixels that are added to every image in front of the frozen teacher (a visual prompt).

    ovdistill teacher adapt visual-prompt --config vild_r18_shapes -o field.safetensors
    ovdistill train vild_r18_shapes --cfg-options teacher.adapter=field.safetensors \
        vocabulary=work_dirs/field/vocabulary.safetensors regions=work_dirs/field/regions

It learns from the pixels of true boxes, so it takes minutes where methods on embeddings take
seconds (docs/teacher_adaptation.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ovdistill.commands.options import option
from ovdistill.commands.teacher.adapt.options import AdaptOptions


@dataclass(frozen=True, kw_only=True)
class VisualPromptOptions(AdaptOptions):
    """Options of ``ovdistill teacher adapt visual-prompt``."""

    place: Literal["frame", "patch"] | None = option(
        None, help="around the image, or in its corner (default: frame)"
    )
    width: int | None = option(
        None, help="of the frame's sides or of the patch, pixels (default: 30 of 224)", least=1
    )


def visual_prompt(options: VisualPromptOptions) -> None:
    """Learn a visual prompt.

    Raises:
        UserError: see ``adapt``.
    """
    options.check()
    from ovdistill.commands.teacher.adapt.run import adapt
    from ovdistill.teacher_training.adapt.visual_prompt import VisualPromptMethod

    adapt(options, options.method(VisualPromptMethod))
