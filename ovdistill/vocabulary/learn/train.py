"""The training loop for the context, or those of all classes; no other parameter changes.

Shapes: n samples, W base classes, M context vectors.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import normalize
from torch.optim.lr_scheduler import LambdaLR

from ovdistill.core.errors import DivergedError
from ovdistill.vocabulary.learn.loss import class_weights, soft_background_loss
from ovdistill.vocabulary.learn.recipe import WARMUP_LR, Recipe
from ovdistill.vocabulary.learn.samples import BACKGROUND, Samples
from ovdistill.vocabulary.prompt_context import ContextPrompts

LINES = 10  # of the report, at least


def learn_context(
    start: Tensor,
    prompts: ContextPrompts,
    samples: Samples,
    is_base: Tensor,
    temperature: float,
    recipe: Recipe,
    report: Callable[[str], None],
) -> Tensor:
    """Learn a context with which the text embeddings tell the samples' classes apart.

    Args:
        start: (M, width) float32 to start from, or (W, M, width) for a context of each class; it
            is not changed.
        prompts: prompts of the W base classes, in the order of the vocabulary.
        samples: regions of base classes and background; labels are rows of the vocabulary.
        is_base: (number of classes in the vocabulary,) bool.
        temperature: the number that cosines are divided by.
        recipe: epochs, batch, seed and what belongs to the optimizer are used.
        report: receives lines with an epoch and its mean loss: each epoch, or some of many.

    Returns:
        As ``start``, without gradient, on its device.

    Raises:
        DivergedError: the loss is not finite any more.
    """
    num_base, device = len(prompts), start.device
    column = is_base.long().cumsum(0) - 1  # row of the vocabulary -> row among the base classes
    labels = torch.where(samples.labels == BACKGROUND, num_base, column[samples.labels])
    weights = class_weights(labels, num_base).to(device)
    context = start.detach().clone().requires_grad_()
    optimizer = torch.optim.SGD(
        [context], lr=recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay
    )
    steps = recipe.epochs * -(-len(samples) // recipe.batch)
    schedule = LambdaLR(optimizer, rate_of(recipe, steps))
    generator = torch.Generator().manual_seed(recipe.seed)
    for epoch in range(1, recipe.epochs + 1):
        losses = []
        for rows in torch.randperm(len(samples), generator=generator).split(recipe.batch):
            regions = normalize(samples.embeddings[rows].to(device).float(), dim=-1)
            logits = regions @ prompts.encode(context).T / temperature
            loss = soft_background_loss(logits, labels[rows].to(device), weights)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.detach())
        mean = float(torch.stack(losses).mean())
        if not math.isfinite(mean):
            raise DivergedError(
                f"the loss of epoch {epoch} is {mean}; nothing is written. Expected a lower --lr "
                f"than {recipe.lr:g}"
            )
        if epoch % max(1, recipe.epochs // LINES) == 0 or epoch == recipe.epochs:
            report(f"epoch {epoch} of {recipe.epochs}: loss {mean:.4f}")
    return context.detach()


def rate_of(recipe: Recipe, steps: int) -> Callable[[int], float]:
    """Return the share of the learning rate at a step, counted from 0.

    Args:
        recipe: lr and warmup are used.
        steps: of all epochs.
    """
    low = round(recipe.warmup * steps)

    def share(step: int) -> float:
        if step < low:
            return WARMUP_LR / recipe.lr
        return (1 + math.cos(math.pi * (step - low) / max(1, steps - low))) / 2

    return share
