"""What a method of adaptation sees, and what it returns.

Shapes: n regions, D width of the teacher's embeddings, E width after the adaptation, S side of the
teacher's input.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.teacher import AdaptedTeacher, NamedAdapter, Teacher, TeacherAdapter, write_adapter
from ovdistill.teacher_training.adapt.crops import RegionCrops
from ovdistill.vocabulary import Names, Vocabulary
from ovdistill.vocabulary.learned_prompts import prompts_for


@dataclass(frozen=True, eq=False)
class LabelledRegions:
    """n regions with their classes, on the CPU.

    Attributes:
        embeddings: (n, D) float32, unit norm, of the teacher before it is adapted.
        labels: (n,) int64, rows of the vocabulary.
        crops: the regions as pixels, cut out by the teacher's own policy; None unless the method
            needs them.
    """

    embeddings: Tensor
    labels: Tensor
    crops: RegionCrops | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: Tensor) -> LabelledRegions:
        crops = None if self.crops is None else self.crops[rows]
        return LabelledRegions(self.embeddings[rows], self.labels[rows], crops)


@dataclass(frozen=True, eq=False)
class AdaptData:
    """What a method learns from.

    Attributes:
        teacher: the teacher before it is adapted.
        vocabulary: the class names, and their text embeddings by that teacher.
        train: regions of base classes to learn from; there is at least one.
        held_out: regions of base classes of other images, to choose settings with; may be empty.
        source: where they come from, as a phrase for people.
        unsupervised: the labels are the teacher's own names, of which nothing can be chosen: the
            settings that change no name are right by construction.
    """

    teacher: Teacher
    vocabulary: Vocabulary
    train: LabelledRegions
    held_out: LabelledRegions
    source: str
    unsupervised: bool = False

    @property
    def base_rows(self) -> Tensor:
        """(C,) int64, the rows of the base classes in the vocabulary."""
        return self.vocabulary.is_base.nonzero().flatten()

    @property
    def base_texts(self) -> Tensor:
        """(C, D) text embeddings of the base classes, on the CPU."""
        return self.vocabulary.embeddings[self.base_rows]

    def base_labels(self, regions: LabelledRegions) -> Tensor:
        """Return the labels of regions as rows of ``base_rows``, (n,) int64."""
        return (self.vocabulary.is_base.long().cumsum(0) - 1)[regions.labels]


@dataclass(frozen=True, eq=False)
class Adaptation:
    """The result of a method.

    Attributes:
        teacher: the adapted teacher; the same one where only the vocabulary changes.
        vocabulary: the class names as they are embedded now, by that teacher.
        write: writes the result: a file, or a folder of weights.
        images: maps (n, D) unit embeddings of the teacher before to (n, E) unit ones of the adapted
            teacher; None where images have to go through its tower again.
        facts: what was chosen or measured on the way, as plain JSON values.
        variants: makes other results of the same learning, by title, to be measured beside it.
    """

    teacher: Teacher
    vocabulary: Vocabulary
    write: Callable[[Path], None]
    images: Callable[[Tensor], Tensor] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    variants: Mapping[str, Callable[[], Adaptation]] = field(default_factory=dict)


ADAPTED = "adapted"  # key of a vocabulary's origin: the method that learned its embeddings


@dataclass(frozen=True, kw_only=True)
class AdaptMethod(ABC):
    """Base class of methods; the fields of a subclass are its settings.

    Attributes:
        epochs: passes over the regions; None: the method derives them from the regions.
        batch: regions a step.
        lr: learning rate, which falls to zero along a cosine.
        seed: of the initial values and the order of the regions.

    Raises:
        UserError: a value out of its range.
    """

    name: ClassVar[str]  # as the command line has it
    needs_crops: ClassVar[bool] = False
    encodes_again: ClassVar[bool] = True  # the names, with the adapted teacher
    default_shots: ClassVar[int | None] = None  # regions of a class; None for all

    epochs: int | None
    batch: int = 256
    lr: float
    seed: int = 0

    def __post_init__(self) -> None:
        for setting in ("epochs", "batch", "lr"):
            value = getattr(self, setting)
            if value is not None and not value > 0:
                raise UserError(f"got {setting} = {value}; expected more than 0")

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that are given and have an effect, as plain JSON values."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def check(self, teacher: Teacher, vocabulary: Vocabulary) -> None:
        """Check what can be checked before regions are embedded.

        Args:
            teacher: the one to adapt.
            vocabulary: the names.

        Raises:
            UserError: the method cannot adapt this teacher or these names.
        """
        if self.encodes_again:
            check_templates(vocabulary)

    @abstractmethod
    def learn(self, data: AdaptData, report: Callable[[str], None] = print) -> Adaptation:
        """Learn from regions.

        Args:
            data: the teacher, the names and the regions.
            report: receives lines with an epoch and its mean loss.

        Raises:
            UserError: the method cannot adapt this teacher or these names.
        """


def adapted_by(
    adapter: TeacherAdapter, data: AdaptData, method: str, facts: Mapping[str, Any] | None = None
) -> Adaptation:
    """Return the adaptation by an adapter, whose file is named after its method and its content.

    Args:
        adapter: what was learned.
        data: what it was learned from.
        method: name of the method.
        facts: see ``Adaptation``.
    """
    named = NamedAdapter(f"{method}-{adapter.digest[:6]}", data.teacher.id, adapter)
    teacher = AdaptedTeacher(data.teacher, named)
    return Adaptation(
        teacher=teacher,
        vocabulary=encode_again(data.vocabulary, teacher),
        write=lambda path: write_adapter(path, named),
        images=None if adapter.changes_pixels else teacher.change_images,
        facts=facts or {},
    )


def encode_again(vocabulary: Vocabulary, teacher: Teacher) -> Vocabulary:
    """Encode the names of a vocabulary with an adapted teacher, in the same prompts.

    Raises:
        UserError: the prompts are not known, or were learned with the teacher before.
    """
    check_templates(vocabulary)
    names = Names(
        vocabulary.names, vocabulary.frequency, vocabulary.synonyms, counts=vocabulary.counts
    )
    return Vocabulary.encode(
        names,
        teacher,
        prompts_for(teacher, vocabulary.templates),
        vocabulary.is_base,
        tokens=vocabulary.token_embeddings is not None,
        synonyms=vocabulary.synonyms_averaged,
    )


def check_templates(vocabulary: Vocabulary) -> None:
    """Raise UserError unless the names can be encoded again by another teacher."""
    if method := vocabulary.origin.get(ADAPTED):
        raise UserError(
            f"the vocabulary was adapted by {method}, which is lost where its names are encoded "
            "again; expected one of `ovdistill vocab build`"
        )
    if vocabulary.learned is not None or not vocabulary.templates:
        kind = "no known prompts" if vocabulary.learned is None else "learned prompts"
        raise UserError(
            f"the vocabulary has {kind}, with which an adapted teacher cannot encode its names; "
            "expected templates: ovdistill vocab build. Prompts are learned with the adapted "
            "teacher: ovdistill vocab learn --adapter FILE"
        )


def adapted_vocabulary(vocabulary: Vocabulary, embeddings: Tensor, method: str) -> Vocabulary:
    """Return a vocabulary with embeddings that a method has learned, which says so.

    Args:
        vocabulary: before.
        embeddings: (W, D) unit norm.
        method: name of the method.
    """
    return replace(vocabulary, embeddings=embeddings, origin={ADAPTED: method})
