"""AdamW as CLIP is trained with: decay on matrices only, a warm-up, then half a cosine."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from ovdistill.teacher_training.settings import TrainingSettings

MAX_LOGIT_SCALE = math.log(100)  # CLIP, section 2.5


def build_optimizer(
    parameters: Sequence[nn.Parameter], settings: TrainingSettings
) -> torch.optim.AdamW:
    """Build the optimizer of all trained weights."""
    decayed = [p for p in parameters if p.ndim >= 2]
    others = [p for p in parameters if p.ndim < 2]
    groups = [
        dict(params=decayed, weight_decay=settings.weight_decay),
        dict(params=others, weight_decay=0.0),
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=settings.betas)


def set_rate(optimizer: torch.optim.Optimizer, step: int, settings: TrainingSettings) -> float:
    """Set the learning rate of a step, counted from 0, and return it."""
    rate = settings.learning_rate * rate_factor(step, settings.steps, settings.warm_up)
    for group in optimizer.param_groups:
        group["lr"] = rate
    return rate


def rate_factor(step: int, steps: int, warm_up: int) -> float:
    """Return the factor of the learning rate: a linear warm-up, then half a cosine.

    Args:
        step: from 0.
        steps: of the training.
        warm_up: steps of the warm-up, of which at most a quarter of all and one more are taken.
    """
    warm_up = min(warm_up, steps // 4 + 1)
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))
