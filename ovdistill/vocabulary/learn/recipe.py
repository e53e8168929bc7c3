"""The settings with which prompts are learned."""

from __future__ import annotations

from dataclasses import dataclass

from ovdistill.core.class_names import Spelling
from ovdistill.core.errors import UserError
from ovdistill.core.vocabulary_header import SPELLINGS
from ovdistill.vocabulary.prompt_context import NAME_POSITIONS, NamePosition

WARMUP_LR = 1e-5  # CoOp's, whatever the learning rate is afterwards
# Lower ends of the bins of IoU: each bin gets a context of its own (DetPro), or one bin has all.
BINS: dict[str, tuple[float, ...]] = {"grades": (0.5, 0.6, 0.7, 0.8, 0.9), "single": (0.5,)}

# fields that a description names only where they are not DetPro's
FURTHER = {
    "batch": "batch",
    "temperature": "temperature",
    "momentum": "momentum",
    "weight_decay": "weight decay",
    "warmup": "warm-up",
}


@dataclass(frozen=True)
class Recipe:
    """The settings with which prompts are learned; the defaults are DetPro's.

    Attributes:
        context: number of context vectors, M.
        init: text to start from, whose M tokens become the vectors; None: random vectors.
        class_contexts: each base class has M vectors of its own (CoOp's class-specific contexts);
            any other name takes their mean.
        name_position: where the name stands in the prompt: 'front', 'middle' or 'end'.
        spelling: how class names stand in the prompts: 'words' (without parentheses) or 'plain',
            see ``spell_name``.
        bins: which bins of IoU, a key of ``BINS``.
        background: share of the background regions to learn from, in [0, 1]; 0 for none (CoOp).
        epochs: passes over the regions of a bin.
        batch: regions per step.
        lr: learning rate of SGD; it falls to zero along a cosine over all steps (in DetPro's code
            once an epoch).
        momentum: of SGD, in [0, 1).
        weight_decay: of SGD.
        warmup: share of all steps, at the start, that have the low, constant rate ``WARMUP_LR``
            (CoOp), in [0, 1); 0 for none.
        temperature: the number that cosines are divided by; None: the teacher's own.
        seed: seed of the context, the drawn background and the order of the regions.

    Raises:
        UserError: a value out of its range.
    """

    context: int = 8
    init: str | None = None
    class_contexts: bool = False
    name_position: NamePosition = "end"
    spelling: Spelling = "words"
    bins: str = "grades"
    background: float = 0.1
    epochs: int = 6
    batch: int = 512
    lr: float = 2e-3
    momentum: float = 0.0
    weight_decay: float = 0.0
    warmup: float = 0.0
    temperature: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("context", "epochs", "batch", "lr", "temperature"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UserError(f"got {name} = {value}; expected more than 0")
        if not 0 <= self.background <= 1:
            raise UserError(f"got background = {self.background}; expected a share in [0, 1]")
        for name in ("momentum", "warmup"):
            if not 0 <= getattr(self, name) < 1:
                raise UserError(f"got {name} = {getattr(self, name)}; expected a number in [0, 1)")
        if not self.weight_decay >= 0:
            raise UserError(f"got weight_decay = {self.weight_decay}; expected 0 or more")
        for name, choices in (
            ("name_position", NAME_POSITIONS),
            ("spelling", SPELLINGS),
            ("bins", BINS),
        ):
            if getattr(self, name) not in choices:
                raise UserError(
                    f"got {name} = {getattr(self, name)!r}; expected one of: {', '.join(choices)}"
                )

    @property
    def edges(self) -> tuple[float, ...]:
        """The lower ends of the bins; the last bin ends at 1."""
        return BINS[self.bins]

    def describe(self) -> str:
        """Return the sentence that a vocabulary file has in place of its templates."""
        start = f"from {self.init!r}" if self.init else f"{self.context} context vectors"
        if self.class_contexts:
            start += " of each base class, other names take their mean"
        further = "".join(
            f", {text} {getattr(self, name)}"
            for name, text in FURTHER.items()
            if getattr(self, name) != getattr(Recipe, name)
        )
        return (
            f"learned: {start}, name ({self.spelling}) at the {self.name_position}, IoU bins "
            f"{' '.join(map(str, self.edges))} to 1, background {self.background}, "
            f"{self.epochs} epochs, lr {self.lr}, seed {self.seed}{further}"
        )
