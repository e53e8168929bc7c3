"""The formula of the linear probe's result (this file imports torch only).

Shapes: C classes, D embedding width.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def mix_weights(weights: Tensor, texts: Tensor, share: float) -> Tensor:
    """Return ``normalize(share w / |w| + (1 - share) t)``.

    Source: WiSE-FT (arXiv 2109.01903), of unit vectors, since only their directions are used.

    Args:
        weights: (C, D) of the probe.
        texts: (C, D) text embeddings, unit norm.
        share: of the probe, in [0, 1].

    Returns:
        (C, D) unit norm.
    """
    return F.normalize(share * F.normalize(weights, dim=1) + (1 - share) * texts, dim=1)
