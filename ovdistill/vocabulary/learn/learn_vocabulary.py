"""Learns a vocabulary from samples: one context for each bin of IoU, and the mean of them all.

Shapes: B bins, C base classes, M context vectors, D embedding width.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.teacher import Teacher
from ovdistill.teacher.text_tower import TextTower
from ovdistill.vocabulary import Names, Vocabulary
from ovdistill.vocabulary.learn.recipe import Recipe
from ovdistill.vocabulary.learn.samples import BACKGROUND, Samples
from ovdistill.vocabulary.learn.train import learn_context
from ovdistill.vocabulary.learned_prompts import ClassContexts, LearnedPrompts
from ovdistill.vocabulary.prompt_context import ContextPrompts, context_from_text, random_context
from ovdistill.vocabulary.tokens import all_tokens


def learn_vocabulary(
    vocabulary: Vocabulary,
    teacher: Teacher,
    samples: Samples,
    recipe: Recipe,
    source: str,
    report: Callable[[str], None] = print,
) -> Vocabulary:
    """Encode all class names, base and novel, with prompts that are learned from base classes.

    Source: DetPro's context grading. The unit embeddings that the contexts of all bins give to a
    name are added, and the sum is brought to unit norm.

    Args:
        vocabulary: class names, and which are base; if it has token embeddings, the result has
            them too.
        teacher: the teacher that embedded the samples.
        samples: regions with their classes; labels are rows of ``vocabulary``.
        recipe: how to learn.
        source: where the samples come from, for the description of the prompts.
        report: receives each epoch's loss, a line at a time.

    Returns:
        The same classes with other embeddings.

    Raises:
        UserError: a bin without a region, or see ``ContextPrompts`` and ``Teacher.text_tower``.
    """
    tower = teacher.text_tower()
    start = _initial_context(recipe, tower)
    with_tokens = vocabulary.token_embeddings is not None
    tokens = all_tokens(vocabulary.names) if with_tokens else ()
    # names that are too long are an error before the training, not after it
    names = (*vocabulary.names, *tokens)
    ContextPrompts(names, tower, len(start), recipe.name_position, recipe.spelling)
    contexts = _learn_contexts(vocabulary, teacher, samples, recipe, start, report)
    learned = LearnedPrompts(
        contexts.mean(dim=1) if recipe.class_contexts else contexts,
        recipe.name_position,
        teacher.id,
        f"{recipe.describe()}, {source}",
        recipe.spelling,
        own=ClassContexts(base_names(vocabulary), contexts) if recipe.class_contexts else None,
    )
    classes = Names(
        vocabulary.names, vocabulary.frequency, vocabulary.synonyms, counts=vocabulary.counts
    )
    return Vocabulary.encode(
        classes, teacher, learned, vocabulary.is_base, tokens=with_tokens, show_progress=True
    )


def base_names(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the names of the base classes, in the order of the vocabulary."""
    pairs = zip(vocabulary.names, vocabulary.is_base.tolist(), strict=True)
    return tuple(name for name, is_base in pairs if is_base)


def split_by_iou(samples: Samples, edges: tuple[float, ...]) -> list[tuple[str, Samples]]:
    """Split the samples into bins of IoU; every bin gets all of the background.

    Args:
        samples: all samples.
        edges: lower ends of the bins, ascending.

    Returns:
        The title and the samples of each bin.

    Raises:
        UserError: a bin without a region.
    """
    bins = samples.bins(edges)
    bins[samples.labels == BACKGROUND] = BACKGROUND
    parts = []
    for index, (low, high) in enumerate(zip(edges, (*edges[1:], 1), strict=True)):
        if not (bins == index).any():
            raise UserError(
                f"no region has an IoU of {low} to {high} with a base box; expected some in every "
                "bin. Learn from more images, or one context from all regions: --bins single"
            )
        in_bin = samples[(bins == index) | (bins == BACKGROUND)]
        parts.append((f"IoU {low} to {high}", in_bin))
    return parts


def _initial_context(recipe: Recipe, tower: TextTower) -> Tensor:
    """Return the (M, width) vectors to start from."""
    if recipe.init is None:
        return random_context(recipe.context, tower, recipe.seed)
    return context_from_text(recipe.init, tower)


def _learn_contexts(
    vocabulary: Vocabulary,
    teacher: Teacher,
    samples: Samples,
    recipe: Recipe,
    start: Tensor,
    report: Callable[[str], None],
) -> Tensor:
    """Learn contexts from each bin, on the CPU: (B, M, width), or (B, C, M, width) of classes."""
    base = base_names(vocabulary)
    tower = teacher.text_tower()
    prompts = ContextPrompts(base, tower, len(start), recipe.name_position, recipe.spelling)
    if recipe.class_contexts:
        start = start.expand(len(base), -1, -1)
    temperature = recipe.temperature or teacher.temperature
    contexts = []
    for title, in_bin in split_by_iou(samples, recipe.edges):
        background = int((in_bin.labels == BACKGROUND).sum())
        report(f"{title}: {len(in_bin) - background} regions, {background} of background")
        context = learn_context(
            start,
            prompts,
            in_bin,
            vocabulary.is_base,
            temperature,
            recipe,
            _with_title(report, title),
        )
        contexts.append(context.cpu())
    return torch.stack(contexts)


def _with_title(report: Callable[[str], None], title: str) -> Callable[[str], None]:
    def report_with_title(line: str) -> None:
        report(f"{title}: {line}")

    return report_with_title
