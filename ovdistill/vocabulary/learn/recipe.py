"""How prompts are learned, in numbers."""

from __future__ import annotations

from dataclasses import dataclass

from ovdistill.core.errors import UserError
from ovdistill.vocabulary.prompt_context import NAME_POSITIONS, NamePosition

# Lower ends of the bins of IoU, each of which has a context of its own (DetPro), or one for all.
BINS: dict[str, tuple[float, ...]] = {"grades": (0.5, 0.6, 0.7, 0.8, 0.9), "single": (0.5,)}


@dataclass(frozen=True)
class Recipe:
    """How prompts are learned; the values are DetPro's.

    Attributes:
        context: number of vectors, M.
        init: words to start from, whose tokens then are the M vectors; None: random.
        name_position: of the name, 'front', 'middle' or 'end'.
        bins: a key of ``BINS``.
        background: share of the background regions to learn from; 0 for none (CoOp).
        epochs: over the regions of a bin.
        batch: regions a step.
        lr: of plain SGD, falling to zero by a cosine over all steps.
        temperature: what cosines are divided by; None: the teacher's own.
        seed: of the context, the drawn background and the order of the regions.

    Raises:
        UserError: a value out of its range.
    """

    context: int = 8
    init: str | None = None
    name_position: NamePosition = "end"
    bins: str = "grades"
    background: float = 0.1
    epochs: int = 6
    batch: int = 512
    lr: float = 2e-3
    temperature: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("context", "epochs", "batch", "lr", "temperature"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UserError(f"got {name} = {value}; expected more than 0")
        if not 0 <= self.background <= 1:
            raise UserError(f"got background = {self.background}; expected a share in [0, 1]")
        for name, choices in (("name_position", NAME_POSITIONS), ("bins", BINS)):
            if getattr(self, name) not in choices:
                raise UserError(
                    f"got {name} = {getattr(self, name)!r}; expected one of: {', '.join(choices)}"
                )

    @property
    def edges(self) -> tuple[float, ...]:
        """Lower ends of the bins, the last of which ends at 1."""
        return BINS[self.bins]

    def in_words(self) -> str:
        """What a vocabulary says of its prompts."""
        start = f"from {self.init!r}" if self.init else f"{self.context} context vectors"
        return (
            f"learned: {start}, name at the {self.name_position}, IoU bins "
            f"{' '.join(map(str, self.edges))} to 1, background {self.background}, "
            f"{self.epochs} epochs, lr {self.lr}, seed {self.seed}"
        )
