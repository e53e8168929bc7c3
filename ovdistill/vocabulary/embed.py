"""Names -> prompts -> one embedding each, with a teacher.

Shapes: W names, D embedding width.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ovdistill.core.errors import UserError
from ovdistill.core.logs import progress
from ovdistill.teacher import Teacher
from ovdistill.vocabulary.learned_prompts import LearnedPrompts
from ovdistill.vocabulary.names import Names
from ovdistill.vocabulary.prompts import clean_name, fill

PROMPTS_A_CHUNK = 2048  # bounds the memory of many names x many templates


def names_with_synonyms(names: Names) -> list[list[str]]:
    """Each name and its synonyms, cleaned, without repetitions ("a_cup" and "a cup" are one).

    Raises:
        UserError: the source of the names has no synonyms.
    """
    if names.synonyms is None:
        raise UserError(
            "these names have no synonyms to average over; expected an LVIS annotation file, whose "
            "categories have 'synonyms': --names lvis_v1_train.json"
        )
    pairs = zip(names.names, names.synonyms, strict=True)
    return [list(dict.fromkeys(map(clean_name, (name, *own)))) for name, own in pairs]


def embed_phrases(
    groups: Sequence[Sequence[str]],
    teacher: Teacher,
    prompts: Sequence[str] | LearnedPrompts,
    *,
    show_progress: bool = False,
) -> Tensor:
    """The mean over all prompts of all phrases of each group.

    Each prompt is embedded and brought to unit norm, they are averaged, and the mean is brought to
    unit norm again (ViLD; DetPro for learned prompts).

    Args:
        groups: W times one phrase or several.
        teacher: embeds the prompts.
        prompts: templates, or learned with this teacher.
        show_progress: show a progress bar, where someone can see it.

    Returns:
        (W, D) float32, unit norm, on the CPU.

    Raises:
        UserError: see ``fill`` and ``LearnedPrompts.embed``.
    """
    phrases = list(dict.fromkeys(phrase for group in groups for phrase in group))
    per_chunk = max(1, PROMPTS_A_CHUNK // len(prompts))
    means = []
    total = len(phrases) * len(prompts)
    bar = progress(total=total, title="class names", unit="prompt", disable=not show_progress)
    with bar:
        for start in range(0, len(phrases), per_chunk):
            chunk = phrases[start : start + per_chunk]
            if isinstance(prompts, LearnedPrompts):
                embedded = prompts.embed(chunk, teacher)
            else:
                texts = [fill(template, phrase) for phrase in chunk for template in prompts]
                embedded = teacher.encode_text(texts).unflatten(0, (len(chunk), len(prompts)))
            means.append(embedded.mean(dim=1).cpu())
            bar.update(len(chunk) * len(prompts))
    # every phrase has as many prompts: the mean of its group is the mean of the phrases' means
    place = {phrase: row for row, phrase in enumerate(phrases)}
    mean_of = torch.cat(means)
    grouped = [mean_of[[place[phrase] for phrase in group]].mean(dim=0) for group in groups]
    return normalize(torch.stack(grouped), dim=-1)
