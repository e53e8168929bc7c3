"""From what a user names to a vocabulary: the one way for `ovdistill vocab` and for training."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from ovdistill.core.teacher_id import TeacherId
from ovdistill.datasets.category_names import find_names, read_names
from ovdistill.teacher import Teacher
from ovdistill.vocabulary import Names, Vocabulary, base_mask, read_templates
from ovdistill.vocabulary.embed import names_with_synonyms
from ovdistill.vocabulary.learned_prompts import LearnedPrompts, read_prompts
from ovdistill.vocabulary.published_embeddings import read_array
from ovdistill.vocabulary.splits import COCO_UNUSED, OVSHAPES_NOVEL, SPLITS


def encode_names(
    names: str | os.PathLike[str],
    teacher: Callable[[], Teacher],
    templates: str | Sequence[str] = "single",
    split: str | Sequence[str] | None = None,
    synonyms: bool = False,
    tokens: bool = False,
) -> Vocabulary:
    """Encodes names with a teacher, showing the progress.

    Args:
        names: see ``find_names``.
        teacher: makes the teacher, once the names and templates are known to be good.
        templates: see ``read_prompts``.
        split: see ``select_names``.
        synonyms: average over the synonyms of each name.
        tokens: embed the names' tokens too.

    Raises:
        UserError: names, templates or split that cannot be read or do not fit each other.
    """
    _, words, is_base = select_names(names, split)
    prompts = read_prompts(templates)
    if synonyms:
        names_with_synonyms(words)  # raises where there are none
    return Vocabulary.encode(
        words,
        teacher(),
        prompts,
        is_base,
        tokens=tokens,
        synonyms=synonyms,
        show_progress=True,
    )


def import_embeddings(
    embeddings: str | os.PathLike[str],
    names: str | os.PathLike[str],
    teacher: TeacherId | str,
    split: str | Sequence[str] | None = None,
    templates: str | Sequence[str] | None = None,
    transposed: bool = False,
) -> Vocabulary:
    """Takes embeddings that were published; a split that leaves out names takes those of the rest.

    Args:
        embeddings: a .npy file with one for each name, or for each that the split keeps.
        names: see ``find_names``.
        teacher: id of the model that made them.
        split: see ``select_names``.
        templates: the prompts that were averaged, as far as known; see ``read_templates``.
        transposed: see ``unit_rows``.

    Raises:
        UserError: a file that cannot be read, or whose count of embeddings is another.
    """
    everything, words, is_base = select_names(names, split)
    array = read_array(embeddings)
    if len(everything) not in array.shape and len(words) in array.shape:
        everything = words
    prompts = read_templates(templates) if templates else ()
    whole = Vocabulary.from_array(
        array, everything, teacher, templates=prompts, transposed=transposed
    )
    return replace(whole.only(words.names), is_base=is_base)


def prompts_of_config(config: Mapping[str, Any]) -> tuple[str, ...] | LearnedPrompts:
    """What other words are put into, to go with those that a config's detector is trained with.

    The prompts of its vocabulary file; those that ``prepare.vocabulary`` names where the file is
    not here, as beside a detector that was handed out, or does not say (imported embeddings).

    Raises:
        UserError: see ``Vocabulary.load`` and ``read_prompts``.
    """
    path = config.get("vocabulary")
    own = Vocabulary.load(path).prompts if path and Path(path).is_file() else ()
    step = config.get("prepare", {}).get("vocabulary") or {}
    return own or read_prompts(step.get("templates") or "single")


def select_names(
    source: str | os.PathLike[str], split: str | Sequence[str] | None = None
) -> tuple[Names, Names, Tensor]:
    """The names of a source, those that take part, and which of these are base.

    Args:
        source: see ``find_names``.
        split: 'lvis' (rare ones are novel), 'coco' (48 / 17; COCO's other 15 are left out), 'none'
            (all are base), a split of OVShapes, or the novel names: as ``read_names`` takes them,
            or a sequence, which may be empty. None: 'coco' for the source 'coco', 'lvis' for names
            with frequencies, else 'none'.

    Returns:
        All names (for 'coco' too, COCO's 80: published embeddings are of these), W names, and (W,)
        bool.

    Raises:
        UserError: see ``find_names`` and ``base_mask``.
    """
    names = find_names(source)
    everything = find_names("coco80") if source == "coco" else names
    if split is None:
        split = "coco" if source == "coco" else "lvis" if names.frequency else "none"
    if split == "coco":
        names = names.only({*names.names} - {*COCO_UNUSED})
    novel: str | Sequence[str] = split
    if isinstance(split, str) and split in OVSHAPES_NOVEL:
        novel = OVSHAPES_NOVEL[split]
    elif isinstance(split, str) and split not in SPLITS:
        novel = read_names(split).names
    return everything, names, base_mask(names.names, names.frequency, novel)
