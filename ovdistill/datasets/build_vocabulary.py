"""Builds a vocabulary from what a user names; `ovdistill vocab` and training both use it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from ovdistill.core.class_names import clean_name
from ovdistill.core.teacher_id import TeacherId
from ovdistill.datasets.names import find_names, read_names
from ovdistill.teacher import Teacher
from ovdistill.vocabulary import Names, Vocabulary, base_mask, read_templates
from ovdistill.vocabulary.learned_prompts import LearnedPrompts, prompts_for, read_prompts
from ovdistill.vocabulary.published_embeddings import read_array
from ovdistill.vocabulary.splits import COCO_UNUSED, OVSHAPES_NOVEL, SPLITS
from ovdistill.vocabulary.text_embeddings import names_with_synonyms


def encode_names(
    names: str | os.PathLike[str],
    teacher: Callable[[], Teacher],
    templates: str | Sequence[str] = "single",
    split: str | Sequence[str] | None = None,
    *,
    synonyms: bool = False,
    tokens: bool = False,
) -> Vocabulary:
    """Encode class names with a teacher and show the progress.

    Args:
        names: see ``find_names``.
        teacher: builds the teacher; called when names and templates are known to be good.
        templates: see ``read_prompts``; not used by a teacher that has prompts of its own.
        split: see ``select_names``.
        synonyms: average over the synonyms of each name.
        tokens: encode the names' tokens too.

    Raises:
        UserError: names, templates or split that cannot be read or do not fit each other.
    """
    _, selected, is_base = select_names(names, split)
    prompts = read_prompts(templates)
    if synonyms:
        names_with_synonyms(selected)  # raises, before the teacher is built, if there are none
    built = teacher()
    return Vocabulary.encode(
        selected,
        built,
        prompts_for(built, prompts),
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
    *,
    transposed: bool = False,
) -> Vocabulary:
    """Build a vocabulary from published embeddings.

    If the split leaves out some of the names, their embeddings are left out too.

    Args:
        embeddings: a .npy file with an embedding for each name, or for each that the split keeps.
        names: see ``find_names``.
        teacher: the model that made the embeddings.
        split: see ``select_names``.
        templates: the prompts that were averaged, as far as known; see ``read_templates``.
        transposed: see ``embeddings_from_array``.

    Raises:
        UserError: a file that cannot be read, or another number of embeddings.
    """
    all_names, selected, is_base = select_names(names, split)
    array = read_array(embeddings)
    if len(all_names) not in array.shape and len(selected) in array.shape:
        all_names = selected
    prompts = read_templates(templates) if templates else ()
    whole = Vocabulary.from_array(
        array, all_names, teacher, templates=prompts, transposed=transposed
    )
    return replace(whole.only(selected.names), is_base=is_base)


def prompts_of_config(config: Mapping[str, Any]) -> tuple[str, ...] | LearnedPrompts:
    """Return the prompts that further class names need to fit the detector of a config.

    These are the prompts of the config's vocabulary file. If that file is not there (as beside a
    published detector) or does not know them (imported embeddings), they are those that the
    config's ``prepare.vocabulary`` names, else 'single'.

    Raises:
        UserError: see ``Vocabulary.load`` and ``read_prompts``.
    """
    path = config.get("vocabulary")
    prompts = Vocabulary.load(path).prompts if path and Path(path).is_file() else ()
    step = config.get("prepare", {}).get("vocabulary") or {}
    return prompts or read_prompts(step.get("templates") or "single")


def select_names(
    source: str | os.PathLike[str], split: str | Sequence[str] | None = None
) -> tuple[Names, Names, Tensor]:
    """Select the class names of a source that a split uses, and tell which of them are base.

    Args:
        source: see ``find_names``.
        split: 'lvis' (rare classes are novel), 'coco' (48 base, 17 novel; COCO's other 15 are left
            out), 'voc-15' and 'stuff-156' (semantic segmentation), 'none' (all are base), 'shape'
            or 'compositional' (OVShapes), or the novel names: as ``read_names`` takes them, or a
            sequence, which may be empty. None: 'coco' for the source 'coco', 'lvis' for names with
            frequencies, else 'none'.

    Returns:
        All names of the source (for the source 'coco' these are COCO's 80, of which embeddings are
        published), the W names that the split uses, and (W,) bool, True = base.

    Raises:
        UserError: see ``find_names`` and ``base_mask``.
    """
    names = find_names(source)
    if source != "coco":
        return names, *split_names(names, split)
    return find_names("coco80"), *split_names(names, split or "coco")


def split_names(names: Names, split: str | Sequence[str] | None = None) -> tuple[Names, Tensor]:
    """Return the W names that a split uses, and (W,) bool, True = base.

    Args:
        names: all names of a source.
        split: see ``select_names``; None: 'lvis' for names with frequencies, else 'none'.

    Raises:
        UserError: see ``base_mask``.
    """
    if split is None:
        split = "lvis" if names.frequency else "none"
    if split == "coco":
        names = names.only({name for name in names.names if clean_name(name) not in COCO_UNUSED})
    novel: str | Sequence[str] = split
    if isinstance(split, str) and split in OVSHAPES_NOVEL:
        novel = OVSHAPES_NOVEL[split]
    elif isinstance(split, str) and split not in SPLITS:
        novel = read_names(split).names
    return names, base_mask(names.names, names.frequency, novel)
