"""What `ovdistill teacher evaluate` measures: labelled images, class names, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ovdistill.datasets.annotations import Annotations
from ovdistill.evaluation.regions.matching import Objects
from ovdistill.extraction.images import ImageFile
from ovdistill.store import TeacherStore
from ovdistill.teacher import RegionPolicy, Teacher
from ovdistill.vocabulary import Vocabulary

if TYPE_CHECKING:
    from ovdistill.commands.teacher.evaluate import EvaluateOptions

RANDOM_NOTE = "RANDOM TEACHER WEIGHTS: the figures mean nothing, this is a test of the code"


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images and what is in them.

    Attributes:
        files: the images.
        objects: labelled boxes by image id; one box around all of an image that has one label.
    """

    files: Sequence[ImageFile]
    objects: Mapping[int, Objects]


@dataclass(frozen=True, eq=False)
class CeilingInputs:
    """What the ceilings need beside the objects.

    Attributes:
        found: the annotation file.
        cat_ids: category id of each name; None for a name that the file does not have.
        store: regions for the ceiling with real proposals, or None.
        protocol: 'lvis' or 'coco'.
        temperature: divisor of cosines in the softmax.
    """

    found: Annotations
    cat_ids: Sequence[int | None]
    store: TeacherStore | None
    protocol: str
    temperature: float


@dataclass(frozen=True, eq=False)
class Inputs:
    """What is measured, and how.

    Attributes:
        measured: the labelled images.
        fitted: further ones, to which the linear probe is fitted; None for parts of ``measured``.
        vocabulary: W class names with text embeddings.
        captions: of the images, by image id; empty without captions.
        policies: ways to embed boxes, by name.
        ceilings: None for whole images.
        seed: of the parts of the probe; None leaves it out.
        batch_size: crops in a forward pass.
        workers: processes that read images.
        remarks: sentences on what is measured and what is left out.
        origin: where all of it is from, as plain JSON values.
    """

    measured: LabelledImages
    fitted: LabelledImages | None
    vocabulary: Vocabulary
    captions: Mapping[int, Sequence[str]]
    policies: Mapping[str, RegionPolicy]
    ceilings: CeilingInputs | None
    seed: int | None
    batch_size: int
    workers: int
    remarks: Sequence[str]
    origin: Mapping[str, Any]


def common_inputs(options: EvaluateOptions, teacher: Teacher) -> dict[str, Any]:
    """Return the inputs that do not depend on what is measured: seed, batch size and workers."""
    on_cpu = teacher.device.type == "cpu"
    default_workers = 1 if on_cpu else 4
    return dict(
        seed=None if options.no_probe else options.seed,
        batch_size=options.batch_size or (64 if on_cpu else 512),
        workers=default_workers if options.workers is None else options.workers,
    )
