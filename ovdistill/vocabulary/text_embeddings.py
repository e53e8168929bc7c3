"""Encodes class names with a teacher: names -> prompts -> one text embedding each.

Shapes: W class names, D embedding width.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ovdistill.core.class_names import clean_name
from ovdistill.core.errors import UserError
from ovdistill.core.logs import progress
from ovdistill.teacher import Teacher
from ovdistill.vocabulary.learned_prompts import LearnedPrompts
from ovdistill.vocabulary.names import Names
from ovdistill.vocabulary.prompts import fill_template

PROMPTS_PER_CHUNK = 2048  # bounds the memory of many names times many templates


def names_with_synonyms(names: Names) -> list[list[str]]:
    """Return each name with its synonyms, without repetitions.

    "a_cup" and "a cup" are the same after cleaning; the first one is kept.

    Raises:
        UserError: the source of the names has no synonyms.
    """
    if names.synonyms is None:
        raise UserError(
            "these names have no synonyms to average over; expected an LVIS annotation file, whose "
            "categories have 'synonyms': --names lvis_v1_train.json"
        )
    pairs = zip(names.names, names.synonyms, strict=True)
    return [_without_repetitions((name, *synonyms)) for name, synonyms in pairs]


def _without_repetitions(phrases: Sequence[str]) -> list[str]:
    first: dict[str, str] = {}
    for phrase in phrases:
        first.setdefault(clean_name(phrase), phrase)
    return [*first.values()]


def encode_phrases(
    groups: Sequence[Sequence[str]],
    teacher: Teacher,
    prompts: Sequence[str] | LearnedPrompts,
    *,
    show_progress: bool = False,
) -> Tensor:
    """Encode groups of phrases: one text embedding for each group.

    Every phrase of a group is put into every prompt. Each prompt is embedded and brought to unit
    norm, these embeddings are averaged, and the mean is brought to unit norm again. Source: ViLD's
    prompt ensemble; DetPro does the same with learned prompts.

    Args:
        groups: W groups of at least one phrase, for example a name and its synonyms.
        teacher: embeds the prompts.
        prompts: templates, or prompts that were learned with this teacher.
        show_progress: show a progress bar (on a terminal).

    Returns:
        (W, D) float32, unit norm, on the CPU.

    Raises:
        UserError: see ``fill_template`` and ``LearnedPrompts.encode``.
    """
    phrases = list(dict.fromkeys(phrase for group in groups for phrase in group))
    means = _phrase_means(phrases, teacher, prompts, show_progress=show_progress)
    # every phrase has as many prompts: the mean of its group is the mean of the phrases' means
    row_of = {phrase: row for row, phrase in enumerate(phrases)}
    grouped = [means[[row_of[phrase] for phrase in group]].mean(dim=0) for group in groups]
    return normalize(torch.stack(grouped), dim=-1)


def _phrase_means(
    phrases: Sequence[str],
    teacher: Teacher,
    prompts: Sequence[str] | LearnedPrompts,
    *,
    show_progress: bool,
) -> Tensor:
    """Return the mean over the prompts of each phrase, (number of phrases, D), on the CPU."""
    per_chunk = max(1, PROMPTS_PER_CHUNK // len(prompts))
    total = len(phrases) * len(prompts)
    means = []
    bar = progress(total=total, title="class names", unit="prompt", disable=not show_progress)
    with bar:
        for start in range(0, len(phrases), per_chunk):
            chunk = phrases[start : start + per_chunk]
            if isinstance(prompts, LearnedPrompts):
                embedded = prompts.encode(chunk, teacher)
            else:
                texts = [
                    fill_template(template, phrase) for phrase in chunk for template in prompts
                ]
                embedded = teacher.encode_text(texts).unflatten(0, (len(chunk), len(prompts)))
            means.append(embedded.mean(dim=1).cpu())
            bar.update(len(chunk) * len(prompts))
    return torch.cat(means)
