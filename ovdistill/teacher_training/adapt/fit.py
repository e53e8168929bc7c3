"""The training loop of adaptations: a few tensors, batches of regions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Protocol

import torch
from torch import Tensor

from ovdistill.core.errors import DivergedError

LINES = 10  # of the report


class FitSettings(Protocol):
    """What ``fit`` takes from a method of adaptation, see ``AdaptMethod``."""

    @property
    def epochs(self) -> int:
        """Passes over the samples."""

    @property
    def batch(self) -> int:
        """Samples a step."""

    @property
    def lr(self) -> float:
        """The learning rate at the start."""

    @property
    def seed(self) -> int:
        """Seed of the order."""


def fit(
    parameters: Iterable[Tensor],
    loss_of: Callable[[Tensor], Tensor],
    count: int,
    method: FitSettings,
    report: Callable[[str], None],
    weight_decay: float = 0.0,
) -> None:
    """Minimise the mean of a loss over samples, with AdamW and a cosine that ends at zero.

    Args:
        parameters: what changes.
        loss_of: returns the loss of a batch, given its rows (n,) int64 in [0, count).
        count: number of samples.
        method: of which epochs, batch, lr and seed are used.
        report: receives lines with an epoch and its mean loss.
        weight_decay: of AdamW.

    Raises:
        DivergedError: the mean loss of an epoch is not finite, or what was learned is not.
    """
    parameters = [*parameters]
    optimizer = torch.optim.AdamW(parameters, lr=method.lr, weight_decay=weight_decay)
    steps = method.epochs * -(-count // method.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    generator = torch.Generator().manual_seed(method.seed)
    for epoch in range(1, method.epochs + 1):
        losses = []
        for rows in torch.randperm(count, generator=generator).split(method.batch):
            loss = loss_of(rows)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.detach() * len(rows))
        mean = float(sum(losses)) / count
        if not math.isfinite(mean):
            raise _diverged(f"the loss of epoch {epoch} is {mean}", method)
        if epoch % max(1, method.epochs // LINES) == 0:
            report(f"epoch {epoch} of {method.epochs}: loss {mean:.4f}")
    if not all(parameter.isfinite().all() for parameter in parameters):
        raise _diverged("what was learned is not finite", method)


def _diverged(what: str, method: FitSettings) -> DivergedError:
    return DivergedError(f"{what}; nothing is written. Expected a lower --lr than {method.lr:g}")
