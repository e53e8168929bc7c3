"""Learn a linear probe as a vocabulary: base names have its weights.

    ovdistill teacher adapt linear-probe --config vild_r18_shapes --mix 0.5 -o probe.safetensors
    ovdistill train vild_r18_shapes --cfg-options vocabulary=probe.safetensors

The teacher stays as it is, and so do the text embeddings of novel names. Names that are added later
have text embeddings too (docs/teacher_adaptation.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from ovdistill.commands.options import option
from ovdistill.commands.teacher.adapt.options import AdaptOptions


@dataclass(frozen=True, kw_only=True)
class LinearProbeOptions(AdaptOptions):
    """Options of ``ovdistill teacher adapt linear-probe``."""

    mix: float | None = option(
        None, help="share of the probe; the rest is the text (default: 1)", least=0, most=1
    )


def linear_probe(options: LinearProbeOptions) -> None:
    """Learn a linear probe.

    Raises:
        UserError: see ``adapt``.
    """
    options.check()
    from ovdistill.commands.teacher.adapt.run import adapt
    from ovdistill.teacher_training.adapt.linear_probe import LinearProbeMethod

    adapt(options, options.method(LinearProbeMethod))
