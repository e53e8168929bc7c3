"""The figures of a report, as plain values that JSON has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

GROUPS = ("all", "base", "novel")


@dataclass(frozen=True)
class ClassRow:
    """A class of a run.

    Attributes:
        name: the class name.
        group: 'base' or 'novel'.
        frequency: LVIS's 'r', 'c' or 'f', or empty.
        objects: number of labelled objects, without crowds.
        ap: of boxes, in percent; -1.0 without objects.
        ap50: the same at an IoU of 0.5.
        mask_ap: of masks; None where none were tested.
        recall: share of the objects that are found at an IoU of 0.5, in percent; -1.0 without
            objects.
        confused_with: the wrong name that its objects have most often, or empty.
        confused: how many of its objects have that name.
    """

    name: str
    group: str
    frequency: str
    objects: int
    ap: float
    ap50: float
    mask_ap: float | None
    recall: float
    confused_with: str
    confused: int


class NamedClass(Protocol):
    """A class of a run of any kind."""

    @property
    def name(self) -> str:
        """The class name."""

    @property
    def group(self) -> str:
        """'base' or 'novel'."""


@dataclass(frozen=True)
class ReliabilityBins:
    """Detections in bins of their score; see ``evaluation.reliability``."""

    counts: list[int]
    scores: list[float]
    shares: list[float]
    error: float


@dataclass(frozen=True)
class Confusions:
    """What the objects are called instead of their name.

    Attributes:
        pairs: class, wrong name and number of objects, the most frequent first.
        matrix: rows of classes; each has, by the index of its name, the numbers of objects; the
            index after the last class counts those that are missed.
    """

    pairs: list[tuple[str, str, int]]
    matrix: list[dict[int, int]]


class AnyReport(Protocol):
    """What is known of a run of any kind: of a detector or of a segmentor."""

    @property
    def name(self) -> str:
        """Short, to tell runs apart."""

    @property
    def classes(self) -> Sequence[NamedClass]:
        """All classes, in the same order for all runs."""

    @property
    def naming(self) -> dict[str, dict[str, float]]:
        """What becomes of base and of novel objects or pixels, in percent, and "objects"."""

    @property
    def confusions(self) -> Confusions:
        """Wrong names."""

    @property
    def origin(self) -> dict[str, Any]:
        """The content of ``provenance.json``."""


@dataclass(frozen=True)
class RunReport:
    """All figures of a test run.

    Attributes:
        name: short, to tell runs apart.
        folder: of the run.
        images: number of tested images.
        detections: number of detections that count.
        left_out: number of detections of categories that were not evaluated.
        metrics: of ``metrics.json``, in percent.
        classes: by ascending category id.
        curves: precision in percent at 101 levels of recall; by 'bbox/50' or 'segm/75', then by
            group.
        errors: what each kind of error costs, in points of AP50, by kind, then by group.
        error_counts: how many there are.
        naming: what becomes of base and of novel objects, in percent.
        confusions: wrong names.
        reliability: of the scores, by group; empty where some are not from 0 to 1.
        detection_recall: class-agnostic recall of the detections, in percent, for a detector
            without region proposals; by 'AR100_novel' and the like.
        training: losses and AP on val images by iteration.
        origin: of ``provenance.json``.
    """

    name: str
    folder: str
    images: int
    detections: int
    left_out: int
    metrics: dict[str, float]
    classes: list[ClassRow]
    curves: dict[str, dict[str, list[float]]]
    errors: dict[str, dict[str, float]]
    error_counts: dict[str, dict[str, int]]
    naming: dict[str, dict[str, float]]
    confusions: Confusions
    reliability: dict[str, ReliabilityBins]
    detection_recall: dict[str, float]
    training: dict[str, Any] | None
    origin: dict[str, Any]
