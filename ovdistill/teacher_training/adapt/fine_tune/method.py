"""Fine-tunes a teacher's weights with base names, and averages them with what they were.

Sources: Wortsman et al., "Robust fine-tuning of zero-shot models" (WiSE-FT), arXiv 2109.01903; with
``rank``, Hu et al., "LoRA", arXiv 2106.09685.
Differences from WiSE-FT: the classifier is the text embeddings of the base names and stays one; it
is not tuned beside the image tower, so that any name can be asked for afterwards. Statistics of
batch normalisation stay as they are. The learning rate and the weight decay are WiSE-FT's for CLIP,
but steps are fewer: 5 epochs of batches of 64 without a warm-up, in place of 10 of 512 with 500
steps of it.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from torch import Tensor, nn

from ovdistill.core.errors import UserError
from ovdistill.core.seeds import drawn_by
from ovdistill.teacher import OpenCLIPTeacher, Teacher
from ovdistill.teacher.image_tower import ImageTower
from ovdistill.teacher.teacher import hash_weights
from ovdistill.teacher.teacher_folder import write_teacher_folder
from ovdistill.teacher_training.adapt.data import (
    Adaptation,
    AdaptData,
    AdaptMethod,
    encode_again,
)
from ovdistill.teacher_training.adapt.embed_crops import CropEmbedder
from ovdistill.teacher_training.adapt.fine_tune.average import average_weights
from ovdistill.teacher_training.adapt.fine_tune.low_rank import add_low_rank, merge_low_rank
from ovdistill.teacher_training.adapt.fine_tune.texts import BaseTexts
from ovdistill.teacher_training.adapt.fit import fit
from ovdistill.teacher_training.adapt.loss import name_loss
from ovdistill.vocabulary import Vocabulary

TOWERS = ("image", "both")
SHARES = (0.25, 0.5, 0.75, 1.0)  # of the tuned weights, that are measured in every run


@dataclass(frozen=True, kw_only=True)
class FineTuneMethod(AdaptMethod):
    """Settings of fine-tuning.

    Attributes:
        weight_decay: of AdamW.
        rank: LoRA's r; None changes whole weights.
        towers: 'image', or 'both', with the text tower too.
        average: share of the tuned weights in the result, WiSE-FT's alpha; 1 for them alone.
    """

    name: ClassVar[str] = "fine-tune"
    needs_crops: ClassVar[bool] = True

    epochs: int = 5
    batch: int = 64
    lr: float = 3e-5
    weight_decay: float = 0.1
    rank: int | None = None
    towers: str = "image"
    average: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.towers not in TOWERS:
            raise UserError(f"got towers = {self.towers!r}; expected one of: {', '.join(TOWERS)}")
        if not 0 < self.average <= 1:
            raise UserError(f"got average = {self.average}; expected a share above 0, up to 1")
        if self.rank is not None and self.rank < 1:
            raise UserError(f"got rank = {self.rank}; expected at least 1")

    def check(self, teacher: Teacher, vocabulary: Vocabulary) -> None:
        """Check that the teacher has weights to tune, see ``AdaptMethod``."""
        super().check(teacher, vocabulary)
        if not isinstance(teacher, OpenCLIPTeacher) or teacher.precision != "fp32":
            raise UserError(
                f"teacher {teacher.name!r} cannot be fine-tuned; expected an OpenCLIPTeacher in "
                "fp32, without an adapter or an embedding map, which would not fit other weights"
            )

    def learn(self, data: AdaptData, report: Callable[[str], None] = print) -> Adaptation:
        """Tune a copy of the weights, see ``AdaptMethod``."""
        self.check(data.teacher, data.vocabulary)
        teacher = data.teacher
        assert isinstance(teacher, OpenCLIPTeacher)  # see check
        before = {name: value.clone() for name, value in teacher.model.state_dict().items()}
        after = self._tune(data, teacher, report)
        shares = {f"average {share:g}": share for share in SHARES if share != self.average}
        result = partial(_average, data, before, after)
        own = result(self.average)
        variants = {title: partial(result, share) for title, share in shares.items()}
        return Adaptation(own.teacher, own.vocabulary, own.write, variants=variants)

    def _tune(
        self, data: AdaptData, teacher: OpenCLIPTeacher, report: Callable[[str], None]
    ) -> Mapping[str, Tensor]:
        """Return the tuned weights by name."""
        model = copy.deepcopy(teacher.model)
        parameters = self._learned(model)
        texts = BaseTexts(data, model if self.towers == "both" else None, self.seed)
        embed = CropEmbedder(data, ImageTower(model, teacher.mean, teacher.std), self.seed)
        labels = data.base_labels(data.train).to(teacher.device)

        def loss_of(rows: Tensor) -> Tensor:
            return name_loss(embed(rows), texts(), labels[rows], teacher.temperature)

        fit(parameters, loss_of, len(data.train), self, report, self.weight_decay)
        merge_low_rank(model)
        return model.state_dict()

    def _learned(self, model: Any) -> list[nn.Parameter]:
        """Return what is learned of a model, whose other parameters are frozen."""
        parts = [model.visual] if self.towers == "image" else [model]
        if self.rank is None:
            learned = [p for part in parts for p in part.requires_grad_().parameters()]
            scale = getattr(model, "logit_scale", None)  # the temperature stays
            return [p for p in learned if p is not scale]
        with drawn_by(self.seed):
            return [p for part in parts for p in add_low_rank(part, self.rank)]


def _average(
    data: AdaptData, before: Mapping[str, Tensor], after: Mapping[str, Tensor], share: float
) -> Adaptation:
    """Return the teacher with averaged weights, named after them."""
    assert isinstance(data.teacher, OpenCLIPTeacher)
    weights = average_weights(before, after, share)
    digest = hashlib.sha256(hash_weights(weights).encode()).hexdigest()[:6]
    teacher = data.teacher.with_weights(weights, f"{data.teacher.name}+fine-tune-{digest}")
    return Adaptation(
        teacher=teacher,
        vocabulary=encode_again(data.vocabulary, teacher),
        write=lambda path: write_teacher_folder(path, teacher),
    )
