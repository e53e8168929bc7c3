"""Makes a Tip-Adapter: the cache, and the alpha and beta that suit held-out regions best.

Source: Zhang et al., "Tip-Adapter: Training-free Adaption of CLIP for Few-shot Classification",
ECCV 2022, arXiv 2207.09519. Differences: regions are embedded once, where the paper averages keys
over ten augmented views; trained keys stay at unit norm, which bounds what they add.

Shapes: K keys, C base classes, Q prompts, D embedding width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.teacher import TipAdapter
from ovdistill.teacher.adapters.formulas import affinity, cache_logits
from ovdistill.teacher_training.adapt.data import (
    Adaptation,
    AdaptData,
    AdaptMethod,
    adapted_by,
)
from ovdistill.teacher_training.adapt.fit import fit
from ovdistill.teacher_training.adapt.tip_adapter.search import ALPHAS, BETAS, search
from ovdistill.vocabulary import Vocabulary, fill_template

# alpha and beta while keys are trained, as in the released code, and where no label chooses them
INITIAL = (1.0, 5.5)
OF_TRAINING = ("epochs", "batch", "lr")  # settings that only the training of keys has


@dataclass(frozen=True, kw_only=True)
class TipAdapterMethod(AdaptMethod):
    """Settings of Tip-Adapter; see ``TipAdapter``.

    Attributes:
        train_keys: train the keys (Tip-Adapter-F); epochs, batch and lr are used for it alone.
        alpha: weight of the cache; None chooses it on held-out regions, and without labels takes
            the paper's initial value.
        beta: sharpness of the cache; None as for ``alpha``.
    """

    name: ClassVar[str] = "tip-adapter"
    default_shots: ClassVar[int | None] = 16

    epochs: int = 20
    lr: float = 1e-3
    train_keys: bool = False
    alpha: float | None = None
    beta: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for setting in ("alpha", "beta"):
            value = getattr(self, setting)
            if value is not None and not value > 0:
                raise UserError(f"got {setting} = {value}; expected more than 0")

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that have an effect, see ``AdaptMethod``."""
        unused = () if self.train_keys else OF_TRAINING
        return {key: value for key, value in super().settings.items() if key not in unused}

    def learn(self, data: AdaptData, report: Callable[[str], None] = print) -> Adaptation:
        """Make the cache, see ``AdaptMethod``."""
        self.check(data.teacher, data.vocabulary)
        prompts, prompt_classes = _base_prompts(data)
        keys = data.train.embeddings.to(data.teacher.device)
        if self.train_keys:
            keys = self._trained(keys, data, report)
        alpha, beta, facts = self._choose(keys, data)
        report(f"{len(keys)} keys, alpha {alpha:.3g}, beta {beta:.3g}")
        adapter = TipAdapter.of_cache(
            keys,
            data.base_labels(data.train).to(keys.device),
            prompts,
            prompt_classes,
            alpha,
            beta,
            data.teacher.temperature,
        )
        return adapted_by(adapter, data, f"{self.name}-f" if self.train_keys else self.name, facts)

    def _trained(self, keys: Tensor, data: AdaptData, report: Callable[[str], None]) -> Tensor:
        """Return (K, D) keys that are trained to name their own regions."""
        alpha, beta = INITIAL
        labels = data.base_labels(data.train).to(keys.device)
        classes, regions = len(data.base_rows), keys
        similarities = _similarities(regions, data)
        trained = keys.clone().requires_grad_()

        def loss_of(rows: Tensor) -> Tensor:
            units = F.normalize(trained, dim=-1)
            found = affinity(regions[rows], units, labels, classes, beta)
            return F.cross_entropy(cache_logits(similarities[rows], found, alpha), labels[rows])

        fit([trained], loss_of, len(regions), self, report)
        return F.normalize(trained.detach(), dim=-1)

    def _choose(self, keys: Tensor, data: AdaptData) -> tuple[float, float, dict[str, float]]:
        """Return alpha and beta, and what a report should say of them.

        Raises:
            UserError: there is no held-out region to choose them with.
        """
        if data.unsupervised or (self.alpha is not None and self.beta is not None):
            alpha = INITIAL[0] if self.alpha is None else self.alpha
            beta = INITIAL[1] if self.beta is None else self.beta
            return alpha, beta, dict(alpha=alpha, beta=beta)
        if not len(data.held_out):
            raise UserError(
                "no held-out region of a base class to choose alpha and beta with; expected more "
                "images, or --alpha and --beta"
            )
        regions = data.held_out.embeddings.to(keys.device)
        classes = data.base_labels(data.train).to(keys.device)

        def affinities_of(beta: float) -> Tensor:
            return affinity(regions, keys, classes, len(data.base_rows), beta)

        alpha, beta, right = search(
            _similarities(regions, data),
            affinities_of,
            data.base_labels(data.held_out).to(keys.device),
            ALPHAS if self.alpha is None else (self.alpha,),
            BETAS if self.beta is None else (self.beta,),
        )
        return alpha, beta, dict(alpha=alpha, beta=beta, held_out_top1=right)


def _similarities(regions: Tensor, data: AdaptData) -> Tensor:
    """Return (n, C) ``f . t / tau`` of regions and base names."""
    return regions @ data.base_texts.to(regions).T / data.teacher.temperature


def _base_prompts(data: AdaptData) -> tuple[Tensor, Tensor]:
    """Return the embeddings of all prompts of base names (Q, D), and their classes (Q,)."""
    texts = [
        (fill_template(template, phrase), column)
        for column, row in enumerate(data.base_rows.tolist())
        for phrase in _phrases(data.vocabulary, row)
        for template in data.vocabulary.templates
    ]
    embeddings = data.teacher.encode_text([text for text, _ in texts])
    classes = torch.tensor([column for _, column in texts], device=embeddings.device)
    return embeddings, classes


def _phrases(vocabulary: Vocabulary, row: int) -> tuple[str, ...]:
    """Return what is put into the prompts of a class."""
    name = vocabulary.names[row]
    if not vocabulary.synonyms_averaged or vocabulary.synonyms is None:
        return (name,)
    return (name, *vocabulary.synonyms[row])
