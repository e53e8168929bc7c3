"""WiSE-FT: the average of a model's weights before and after (this file imports torch only).

Source: Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022, arXiv 2109.01903.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def average_weights(
    before: Mapping[str, Tensor], after: Mapping[str, Tensor], share: float
) -> dict[str, Tensor]:
    """Return ``(1 - share) before + share after``, equation 1 of the paper.

    Args:
        before: weights by name.
        after: weights of the same names and shapes.
        share: of the fine-tuned weights, the paper's alpha, in [0, 1].

    Returns:
        Weights by name; whole numbers, such as counters, are those of ``after``.
    """
    return {
        name: torch.lerp(before[name], value, share) if value.is_floating_point() else value.clone()
        for name, value in after.items()
    }
