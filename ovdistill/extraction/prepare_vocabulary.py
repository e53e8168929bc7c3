"""The preparation step that makes the vocabulary: encodes its names, or takes published ones."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mmengine.config import Config

from ovdistill.core.class_names import clean_name
from ovdistill.core.devices import choose_device
from ovdistill.core.errors import UserError
from ovdistill.core.name_files import names_a_file
from ovdistill.core.vocabulary_header import VocabularyHeader, read_header
from ovdistill.datasets.build_vocabulary import encode_names, import_embeddings, select_names
from ovdistill.extraction import stale
from ovdistill.extraction.proposal_origin import note_base
from ovdistill.extraction.teacher_origin import teacher_origin
from ovdistill.teacher import build_teacher, teacher_name
from ovdistill.teacher.teacher import hash_weights
from ovdistill.vocabulary.learned_prompts import LearnedPrompts, read_prompts

LOGGER = logging.getLogger(__name__)


def prepare_vocabulary(
    config: Config,
    path: str,
    names: str,
    split: str | Sequence[str],
    templates: str | Sequence[str] = "single",
    embeddings: str | None = None,
    *,
    tokens: bool = False,
    synonyms: bool = False,
    learn_from: str | None = None,
) -> None:
    """Make the vocabulary: encode its class names, or take embeddings that were published.

    Args:
        config: its ``teacher`` encodes the class names.
        path: the vocabulary file to write.
        names: source of the class names: an annotation file, a text file, "a, b, c", or one of the
            other sources of ``datasets.names.find_names``.
        split: which classes are novel, see ``datasets.build_vocabulary.select_names``.
        templates: prompts: 'single', 'vild63', a list of templates, or a file of templates or of
            learned prompts.
        embeddings: a .npy file with embeddings in the order of the class names, which are used
            instead of the teacher's; ``templates`` and ``synonyms`` then say nothing.
        tokens: encode the tokens of the class names too.
        synonyms: average over the synonyms of each class name.
        learn_from: the vocabulary is one that `ovdistill vocab learn` makes with this recipe.

    Raises:
        UserError: none was learned with ``learn_from``; ``tokens`` together with ``embeddings``; a
            file at ``path`` that was made by another teacher or from other inputs; names, split or
            embeddings that cannot be used.
    """
    if tokens and embeddings:
        raise UserError("tokens need the teacher: remove prepare.vocabulary.embeddings")
    own = teacher_name(config.teacher)
    if Path(path).is_file():
        header = check_teacher(path, own)
        found = vocabulary_differences(
            config,
            path,
            names,
            split,
            templates,
            embeddings,
            tokens=tokens,
            synonyms=synonyms,
            learn_from=learn_from,
        )
        if found:
            note_base(config, header)
        stale.refuse({path: found})
        LOGGER.info("vocabulary: %s (%d classes, teacher %s)", path, len(header), header.teacher)
        return
    if learn_from and not embeddings:
        raise not_learned(config, path, learn_from)
    if embeddings:
        own = own or build_teacher(config.teacher).name
        vocabulary = import_embeddings(embeddings, names, own, split)
    else:
        vocabulary = encode_names(
            names,
            lambda: build_teacher(config.teacher, choose_device()),
            templates,
            split,
            synonyms=synonyms,
            tokens=tokens,
        )
    # what was asked for: a teacher may have prompts of its own, which the file states
    origin = _origin(names, split, embeddings) | {"templates": _asked(read_prompts(templates))}
    if not embeddings:
        origin |= teacher_origin(config.teacher)
    replace(vocabulary, origin=origin).save(path)
    LOGGER.info(
        "vocabulary: wrote %s (%d classes, teacher %s)", path, len(vocabulary), vocabulary.teacher
    )


def vocabulary_differences(
    config: Config,
    path: str,
    names: str,
    split: str | Sequence[str],
    templates: str | Sequence[str] = "single",
    embeddings: str | None = None,
    *,
    tokens: bool = False,
    synonyms: bool = False,
    learn_from: str | None = None,
) -> list[str]:
    """Describe how the file at ``path`` differs from what ``prepare_vocabulary`` would make.

    A file that a user made (with `ovdistill vocab`) must have the same classes and split; its
    prompts and embeddings are the user's choice. None is compared where there is no file.

    Raises:
        UserError: names or split that cannot be used, or a damaged file.
    """
    if not Path(path).is_file():
        return []
    header = read_header(path)
    origin = _origin(names, split, embeddings)
    found = [] if _is_same_source(header, origin) else _name_differences(header, names, split, path)
    if tokens and not header.has_tokens:
        found.append("token embeddings: none there, wanted now")
    if not header.origin:
        return found
    if learn_from and not embeddings and not header.name_position:
        found.append(f"prompts: written ones there, learned ones now (with {learn_from})")
    there = {**header.origin, "synonyms averaged": header.synonyms_averaged}
    now = {"embeddings": origin["embeddings"], "synonyms averaged": synonyms and not embeddings}
    if embeddings and not os.path.isfile(embeddings) and header.origin.get("embeddings"):
        del now["embeddings"]  # published ones were taken; their file is not needed any more
    if not (embeddings or learn_from):
        found += _prompt_differences(header, templates)
    return found + stale.differences(there, now | teacher_origin(config.teacher))


def not_learned(config: Config, path: str, learn_from: str) -> UserError:
    """Return the error for a vocabulary of learned prompts that is not there."""
    options = f"{learn_from} --cfg-options data_root={config.data_root}"
    return UserError(
        f"no vocabulary {path} with learned prompts, which {Path(config.filename).name} trains "
        f"with. Learn them:\n  ovdistill prepare {options}\n"
        f"  ovdistill vocab learn -o {path} --config {options}"
    )


def _origin(names: str, split: str | Sequence[str], embeddings: str | None) -> dict[str, str]:
    """Return digests of the sources, by which files need not be read where they are the same."""
    parts = split if isinstance(split, str) else list(split)
    return {
        "names": stale.digest(names),
        "split": stale.digest(parts),
        "embeddings": stale.digest(embeddings) if embeddings else "",
    }


def _is_same_source(header: VocabularyHeader, origin: dict[str, str]) -> bool:
    return all(header.origin.get(key) == origin[key] for key in ("names", "split"))


def _prompt_differences(header: VocabularyHeader, source: str | Sequence[str]) -> list[str]:
    """Describe prompts that are not those that a vocabulary was made with."""
    wanted = read_prompts(source)
    templates = _templates(wanted)
    # a file of an earlier version states what was used alone
    asked = header.origin.get("templates", stale.digest(header.templates))
    # one of an earlier version knows learned prompts by their description
    if asked in (_asked(wanted), stale.digest(templates)):
        return []
    return [f"templates: {len(header.templates)} there, {len(templates)} others now"]


def _asked(prompts: tuple[str, ...] | LearnedPrompts) -> str:
    """Return 16 hex digits that identify prompts, of learned ones the contexts too."""
    if not isinstance(prompts, LearnedPrompts):
        return stale.digest(prompts)
    tensors = {"contexts": prompts.contexts}
    if prompts.own is not None:
        tensors["own"] = prompts.own.contexts
    how = [prompts.name_position, prompts.spelling, prompts.own and prompts.own.names]
    return stale.digest([*_templates(prompts), how, hash_weights(tensors)])


def _templates(prompts: tuple[str, ...] | LearnedPrompts) -> tuple[str, ...]:
    return (prompts.description,) if isinstance(prompts, LearnedPrompts) else prompts


def _name_differences(
    header: VocabularyHeader, names: str, split: str | Sequence[str], path: str
) -> list[str]:
    """Describe the classes that are not the same, or base in one and novel in the other."""
    if (names_a_file(names) or os.sep in names) and not os.path.isfile(names):
        LOGGER.info("vocabulary: the classes of %s are not compared: no %s", path, names)
        return []
    _, selected, is_base = select_names(names, split)
    there = dict(zip(map(clean_name, header.names), header.is_base, strict=True))
    now = dict(zip(map(clean_name, selected.names), is_base.tolist(), strict=True))
    both = there.keys() & now.keys()
    kinds = {
        "classes that are not in the config's names": there.keys() - now.keys(),
        "classes that it lacks": now.keys() - there.keys(),
        "base classes that are novel now": {n for n in both if there[n] and not now[n]},
        "novel classes that are base now": {n for n in both if now[n] and not there[n]},
    }
    return [f"{kind}: {stale.some(found)}" for kind, found in kinds.items() if found]


def check_teacher(path: str, teacher: str | None) -> VocabularyHeader:
    """Return the header of a vocabulary file that was made by a teacher.

    Args:
        path: the file.
        teacher: name of the teacher; None if it is not known without its weights.

    Raises:
        UserError: another teacher made it, or it is damaged.
    """
    header = read_header(path)
    if teacher is not None and header.teacher.name != teacher:
        raise UserError(
            f"{path} was made by teacher {header.teacher}; the teacher of this config is "
            f"{teacher}. Delete the file to make it again, or name another one with "
            "--cfg-options vocabulary=PATH, or another teacher with --cfg-options teacher.model=..."
        )
    return header
