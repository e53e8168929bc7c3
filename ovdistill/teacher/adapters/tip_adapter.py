"""Tip-Adapter: a cache of labelled regions beside the class names.

Source: Zhang et al., "Tip-Adapter: Training-free Adaption of CLIP for Few-shot Classification",
ECCV 2022, arXiv 2207.09519. The logit of a class c for a region f is

    f . t_c / tau + alpha A_c(f)   with   A_c(f) = sum_(k of c) exp(-beta (1 - f . k))

over the keys k of the class. A teacher gives embeddings, not logits, so both become wider: the
cosine of a region and a name is the logit, times one number for all. With a = alpha tau, n_c keys
of class c, R = sqrt(sum_c n_c^2) (so that |A| <= R), and s = sqrt(a / R):

    region       [f,  s A,             sqrt(a R - s^2 |A|^2),  0          ] / sqrt(1 + a R)
    base name    [t,  sqrt(a R) e_c,   0,                      0          ] / sqrt(1 + a R)
    another name [t,  0,               0,                      sqrt(a R)  ] / sqrt(1 + a R)

All are of unit norm without further scaling, and ``cosine = tau logit / (1 + a R)``. So the names
rank as by the formula, and with the temperature ``tau / (1 + a R)`` the softmax is the formula's.

Shapes: n embeddings, D width before, C classes, K keys, Q prompts, E = D + C + 2 width after.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.teacher.adapter import TeacherAdapter, register_adapter
from ovdistill.teacher.adapters.formulas import affinity

SAME_PROMPT = 1e-3  # most distance of two embeddings of one prompt: rounding, not meaning
TEXTS_PER_PASS = 256  # bounds the memory of their distances to all prompts


@register_adapter
class TipAdapter(TeacherAdapter):
    """A cache of keys as further columns of the embeddings.

    A name of a base class is known by its prompts' embeddings, so it has to be encoded with the
    templates that the cache was made with; in others it counts as a name that is not in the cache.
    With several templates a name's embedding is the mean of wide ones, and the formula holds but
    for the lengths of the means of t, which differ by little.

    Args:
        embed_dim: D.
        keys: K.
        classes: C, the classes that have a column.
        prompts: Q, the prompts of their names.
        alpha: weight of the cache.
        beta: sharpness of the cache.
        tau: temperature of the teacher, which alpha is relative to.

    Raises:
        ValueError: a number out of its range.
    """

    kind = "tip-adapter"
    tied_to_prompts = True

    keys: Tensor  # (K, D) unit norm
    key_classes: Tensor  # (K,) int64 in [0, C)
    prompt_embeddings: Tensor  # (Q, D) unit norm
    prompt_classes: Tensor  # (Q,) int64 in [0, C)

    def __init__(
        self,
        embed_dim: int,
        keys: int,
        classes: int,
        prompts: int,
        alpha: float,
        beta: float,
        tau: float,
    ) -> None:
        super().__init__()
        self.embed_dim, self.classes = int(embed_dim), int(classes)
        self.alpha, self.beta, self.tau = float(alpha), float(beta), float(tau)
        if not all(0 < v < math.inf for v in (self.alpha, self.beta, self.tau)):
            raise ValueError(f"alpha {alpha}, beta {beta}, tau {tau}; expected more than 0")
        self.register_buffer("keys", torch.zeros(keys, embed_dim))
        self.register_buffer("key_classes", torch.zeros(keys, dtype=torch.int64))
        self.register_buffer("prompt_embeddings", torch.zeros(prompts, embed_dim))
        self.register_buffer("prompt_classes", torch.zeros(prompts, dtype=torch.int64))

    @classmethod
    def of_cache(
        cls,
        keys: Tensor,
        key_classes: Tensor,
        prompt_embeddings: Tensor,
        prompt_classes: Tensor,
        alpha: float,
        beta: float,
        tau: float,
    ) -> TipAdapter:
        """Return the adapter of a cache; its temperature is that of the wider embeddings.

        Args:
            keys: (K, D) unit norm.
            key_classes: (K,) int64 in [0, C).
            prompt_embeddings: (Q, D) unit norm.
            prompt_classes: (Q,) int64 in [0, C), at least a prompt of each class.
            alpha: see the class.
            beta: see the class.
            tau: see the class.
        """
        classes = int(prompt_classes.max()) + 1
        adapter = cls(
            keys.shape[1], len(keys), classes, len(prompt_embeddings), alpha, beta, tau
        ).to(keys.device)
        adapter.load_state_dict(
            dict(
                keys=keys,
                key_classes=key_classes,
                prompt_embeddings=prompt_embeddings,
                prompt_classes=prompt_classes,
            )
        )
        adapter.temperature = tau / (1 + adapter.weight)
        return adapter

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments, see ``TeacherAdapter``."""
        return {
            "embed_dim": self.embed_dim,
            "keys": len(self.keys),
            "classes": self.classes,
            "prompts": len(self.prompt_embeddings),
            "alpha": self.alpha,
            "beta": self.beta,
            "tau": self.tau,
        }

    @property
    def bound(self) -> float:
        """R, which the length of A does not exceed."""
        counts = self.key_classes.bincount(minlength=self.classes)
        return float(counts.double().square().sum().sqrt())

    @property
    def weight(self) -> float:
        """``a R``, the squared length of what is added."""
        return self.alpha * self.tau * self.bound

    def embed_dim_after(self, embed_dim: int) -> int:
        """Return D + C + 2, see ``TeacherAdapter``."""
        if embed_dim != self.embed_dim:
            raise UserError(
                f"the adapter takes embeddings of width {self.embed_dim}; the teacher's are of "
                f"width {embed_dim}"
            )
        return embed_dim + self.classes + 2

    def adapt_images(self, embeddings: Tensor) -> Tensor:
        """Widen embeddings of regions, see ``TeacherAdapter``."""
        keys = self.keys.to(embeddings)
        found = affinity(embeddings, keys, self.key_classes, self.classes, self.beta)
        columns = found * math.sqrt(self.weight) / self.bound  # s = sqrt(a R) / R
        rest = (self.weight - columns.square().sum(dim=1, keepdim=True)).clamp(min=0).sqrt()
        wide = torch.cat([embeddings, columns, rest, torch.zeros_like(rest)], dim=1)
        return wide / math.sqrt(1 + self.weight)

    def adapt_texts(self, embeddings: Tensor) -> Tensor:
        """Widen embeddings of prompts, see ``TeacherAdapter``."""
        found = [self._columns(part) for part in embeddings.split(TEXTS_PER_PASS)]
        # a column for each class, one for regions alone, one for the names of no class
        columns = F.one_hot(torch.cat(found), self.classes + 2).to(embeddings)
        wide = torch.cat([embeddings, columns * math.sqrt(self.weight)], dim=1)
        return wide / math.sqrt(1 + self.weight)

    def check_values(self) -> None:
        """Check that classes are classes, see ``TeacherAdapter``."""
        for name in ("key_classes", "prompt_classes"):
            classes = getattr(self, name)
            if not len(classes) or classes.min() < 0 or classes.max() >= self.classes:
                raise ValueError(f"{name} are not in [0, {self.classes})")

    def _columns(self, embeddings: Tensor) -> Tensor:
        """Return the column of each prompt, (n,) int64."""
        distances = torch.cdist(embeddings, self.prompt_embeddings.to(embeddings))
        nearest, prompt = distances.min(dim=1)
        return torch.where(nearest < SAME_PROMPT, self.prompt_classes[prompt], self.classes + 1)
