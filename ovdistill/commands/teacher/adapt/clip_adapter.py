"""Learn a small network behind the towers (CLIP-Adapter).

    ovdistill teacher adapt clip-adapter --config vild_r18_shapes -o field.safetensors
    ovdistill train vild_r18_shapes --cfg-options teacher.adapter=field.safetensors \
        vocabulary=work_dirs/field/vocabulary.safetensors regions=work_dirs/field/regions

The file is what commands take as --adapter, and configs as teacher.adapter. Beside it field.json
and field.md say what happened to base and to novel names (docs/teacher_adaptation.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from ovdistill.commands.options import option
from ovdistill.commands.teacher.adapt.options import AdaptOptions


@dataclass(frozen=True, kw_only=True)
class ClipAdapterOptions(AdaptOptions):
    """Options of ``ovdistill teacher adapt clip-adapter``."""

    image_ratio: float | None = option(
        None, help="share of the network in image embeddings (default: 0.2)", least=0, most=1
    )
    text_ratio: float | None = option(
        None, help="share of a network in text embeddings (default: 0, none)", least=0, most=1
    )
    reduction: int | None = option(
        None, help="width of the embeddings over that of the network (default: 4)", least=1
    )


def clip_adapter(options: ClipAdapterOptions) -> None:
    """Learn a CLIP-Adapter.

    Raises:
        UserError: see ``adapt``.
    """
    options.check()
    from ovdistill.commands.teacher.adapt.run import adapt
    from ovdistill.teacher_training.adapt.clip_adapter import ClipAdapterMethod

    adapt(options, options.method(ClipAdapterMethod))
