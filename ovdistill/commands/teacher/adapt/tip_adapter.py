"""Keep a cache of labelled regions beside the names (Tip-Adapter).

    ovdistill teacher adapt tip-adapter --config vild_r18_shapes --shots 16 -o cache.safetensors
    ovdistill teacher adapt tip-adapter --config vild_r18_shapes --train-keys -o cache.safetensors

Nothing is trained without --train-keys (Tip-Adapter-F). The adapter makes embeddings wider, by a
column for each base class and two; names have to be encoded with the same templates
(docs/teacher_adaptation.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from ovdistill.commands.options import flag, option
from ovdistill.commands.teacher.adapt.options import AdaptOptions
from ovdistill.core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class TipAdapterOptions(AdaptOptions):
    """Options of ``ovdistill teacher adapt tip-adapter``."""

    train_keys: bool = flag(help="train the keys of the cache (Tip-Adapter-F)")
    alpha: float | None = option(
        None,
        help="weight of the cache (default: the best on held-out base objects; --unsupervised: 1)",
        least=0,
    )
    beta: float | None = option(
        None,
        help="sharpness of the cache (default: the best on held-out base objects; --unsupervised: "
        "5.5)",
        least=0,
    )

    def check(self) -> None:
        """Raise UserError for inputs, see ``AdaptOptions``, or options that have no effect."""
        super().check()
        given = [name for name in ("epochs", "batch", "lr") if getattr(self, name) is not None]
        if given and not self.train_keys:
            words = ", ".join(f"--{name}" for name in given)
            raise UserError(
                f"got {words} without --train-keys, where nothing is trained; expected both, or "
                "neither"
            )


def tip_adapter(options: TipAdapterOptions) -> None:
    """Make a Tip-Adapter.

    Raises:
        UserError: see ``adapt``.
    """
    options.check()
    from ovdistill.commands.teacher.adapt.run import adapt
    from ovdistill.teacher_training.adapt.tip_adapter import TipAdapterMethod

    adapt(options, options.method(TipAdapterMethod))
