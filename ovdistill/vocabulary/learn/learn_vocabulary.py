"""From samples to a vocabulary: a context for each bin of IoU, and the mean of their words."""

from __future__ import annotations

from collections.abc import Callable

import torch

from ovdistill.core.errors import UserError
from ovdistill.teacher import Teacher
from ovdistill.vocabulary import Names, Vocabulary
from ovdistill.vocabulary.learn.recipe import Recipe
from ovdistill.vocabulary.learn.samples import BACKGROUND, Samples
from ovdistill.vocabulary.learn.train import learn_context
from ovdistill.vocabulary.learned_prompts import LearnedPrompts
from ovdistill.vocabulary.prompt_context import Prompts, context_of, random_context
from ovdistill.vocabulary.tokens import all_tokens


def learn_vocabulary(
    words: Vocabulary,
    teacher: Teacher,
    samples: Samples,
    recipe: Recipe,
    source: str,
    report: Callable[[str], None] = print,
) -> Vocabulary:
    """Embeds all words, base and novel, with prompts that are learned from base words.

    Source: DetPro's context grading: the unit embeddings that the contexts of all bins give a word
    are added, and the sum is brought to unit norm.

    Args:
        words: names, and which are base; with token embeddings where those are to be made too.
        teacher: the one that embedded the samples.
        samples: labels are rows of ``words``.
        recipe: see the class.
        source: where the samples come from, for the vocabulary's ``templates``.
        report: told each epoch's loss, a line at a time.

    Raises:
        UserError: a bin without a region, or see ``Prompts`` and ``Teacher.text_tower``.
    """
    tower = teacher.text_tower()
    if recipe.init is None:
        start = random_context(recipe.context, tower, recipe.seed)
    else:
        start = context_of(recipe.init, tower)
    tokens = () if words.token_embeddings is None else all_tokens(words.names)
    Prompts(
        (*words.names, *tokens), tower, len(start), recipe.name_position
    )  # raises for long names, now
    base = [n for n, is_base in zip(words.names, words.is_base.tolist(), strict=True) if is_base]
    prompts = Prompts(base, tower, len(start), recipe.name_position)
    temperature = recipe.temperature or teacher.temperature
    contexts = []
    for title, own in split_by_iou(samples, recipe.edges):
        background = int((own.labels == BACKGROUND).sum())
        report(f"{title}: {len(own) - background} regions, {background} of background")
        contexts.append(
            learn_context(
                start,
                prompts,
                own,
                words.is_base,
                temperature,
                recipe,
                lambda line, title=title: report(f"{title}: {line}"),
            ).cpu()
        )
    learned = LearnedPrompts(
        torch.stack(contexts),
        recipe.name_position,
        teacher.id,
        f"{recipe.in_words()}, {source}",
    )
    names = Names(words.names, words.frequency, words.synonyms, counts=words.counts)
    return Vocabulary.encode(
        names, teacher, learned, words.is_base, tokens=bool(tokens), show_progress=True
    )


def split_by_iou(samples: Samples, edges: tuple[float, ...]) -> list[tuple[str, Samples]]:
    """The samples of each bin, and all of the background with every bin.

    Args:
        samples: all of them.
        edges: lower ends of the bins.

    Returns:
        (title, samples) of each bin.

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
        own = samples[(bins == index) | (bins == BACKGROUND)]
        parts.append((f"IoU {low} to {high}", own))
    return parts
