"""The class names that compete in a measurement of a teacher, embedded by it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import Annotations
from ovdistill.datasets.build_vocabulary import encode_names, split_names
from ovdistill.datasets.names import names_of_annotations
from ovdistill.evaluation.regions.matching import Objects
from ovdistill.teacher import Teacher
from ovdistill.vocabulary import Names, Vocabulary
from ovdistill.vocabulary.learned_prompts import prompts_for, read_prompts

if TYPE_CHECKING:
    from mmengine.config import Config


class NameOptions(Protocol):
    """Options of a command that say which class names compete."""

    @property
    def config(self) -> str | None:
        """The config."""

    @property
    def vocabulary(self) -> Path | None:
        """A vocabulary file."""

    @property
    def templates(self) -> str | None:
        """Prompts."""

    @property
    def split(self) -> str | None:
        """Which names are novel."""


def find_vocabulary(
    options: NameOptions, config: Config | None, found: Annotations, teacher: Teacher
) -> Vocabulary:
    """Return the class names: of --vocabulary, of the config, or the categories of the file.

    Nothing is written: names that need it are encoded for this measurement alone.

    Args:
        options: of the command.
        config: None without ``--config``.
        found: the annotation file.
        teacher: embeds the names.

    Raises:
        UserError: a vocabulary of another teacher, or names, templates or a split that do not fit.
    """
    if options.vocabulary:
        return load_vocabulary(options.vocabulary, teacher)
    if config is None or options.split:
        return encode_vocabulary(names_of_annotations(found), options, teacher)
    return config_vocabulary(options, config, teacher)


def encode_vocabulary(names: Names, options: NameOptions, teacher: Teacher) -> Vocabulary:
    """Return names with the split and the prompts of the options, encoded for this measurement.

    Args:
        names: of the labelled images.
        options: of the command.
        teacher: embeds the names.

    Raises:
        UserError: templates or a split that do not fit.
    """
    chosen, is_base = split_names(names, options.split)
    prompts = prompts_for(teacher, read_prompts(options.templates or "single"))
    return Vocabulary.encode(chosen, teacher, prompts, is_base, show_progress=True)


def load_vocabulary(path: Path, teacher: Teacher) -> Vocabulary:
    """Return the vocabulary of a file.

    Raises:
        UserError: it is of another teacher, or see ``Vocabulary.load``.
    """
    vocabulary = Vocabulary.load(path)
    if not vocabulary.teacher.is_same(teacher.id) or vocabulary.embed_dim != teacher.embed_dim:
        raise UserError(
            f"{path} was made by teacher {vocabulary.teacher}, width {vocabulary.embed_dim}; got "
            f"teacher {teacher.id}, width {teacher.embed_dim}. Leave out --vocabulary, or make it "
            "with this teacher: ovdistill vocab build"
        )
    return vocabulary


def config_vocabulary(options: NameOptions, config: Config, teacher: Teacher) -> Vocabulary:
    """Return the config's vocabulary, encoded anew for another teacher, split or templates.

    Args:
        options: of the command.
        config: from ``load_config``.
        teacher: embeds the names.

    Raises:
        UserError: a config that names neither a vocabulary of this teacher nor class names, or
            names, templates or a split that do not fit.
    """
    path = config.get("vocabulary")
    if path and not options.templates and not options.split and Path(path).is_file():
        vocabulary = Vocabulary.load(path)
        if vocabulary.teacher.is_same(teacher.id):
            return vocabulary
    step = config.get("prepare", {}).get("vocabulary")
    if not step:
        raise UserError(
            f"{options.config} does not say which class names to encode (prepare.vocabulary), and "
            f"its vocabulary {path} is not there or of another teacher; give --vocabulary"
        )
    return encode_names(
        step.names,
        lambda: teacher,
        options.templates or step.get("templates") or "single",
        options.split or step.split,
        synonyms=bool(step.get("synonyms")),
    )


def objects_remark(
    found: Annotations, vocabulary: Vocabulary, objects: Mapping[int, Objects]
) -> str:
    """Return a sentence that counts images and objects.

    Raises:
        UserError: there is no object.
    """
    kept = sum(len(own.labels) for own in objects.values())
    there = sum(len(found.by_image.get(image_id, ())) for image_id in objects)
    if not kept:
        raise UserError(
            f"no object to measure: {len(objects)} images of {found.path} have {there} "
            f"annotations, none of them a box of the {len(vocabulary)} class names (the first: "
            f"{vocabulary.names[0]!r}) that is no crowd and at least a pixel wide and high"
        )
    left = there - kept
    rest = f"; {left} left out: crowds, thin boxes, or classes without a name" if left else ""
    return f"{len(objects)} of {len(found.images)} images of {found.path}, {kept} objects{rest}"
