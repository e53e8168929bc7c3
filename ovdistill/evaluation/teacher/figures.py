"""All that was measured of a teacher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ovdistill.evaluation.regions.geometry import Geometry
from ovdistill.evaluation.teacher.ceiling import Ceiling
from ovdistill.evaluation.teacher.linear_probe import Probe
from ovdistill.evaluation.teacher.retrieval import Retrieval
from ovdistill.evaluation.teacher.zero_shot import ZeroShot


@dataclass(frozen=True)
class CropFigures:
    """Zero-shot accuracy with one way to crop.

    Attributes:
        name: what the user calls it, such as 'square:1+1.5'.
        policy: its arguments, see ``to_dict`` of ``CropPolicy`` and of ``DenseRegions``.
        zero_shot: the accuracy.
    """

    name: str
    policy: Mapping[str, Any]
    zero_shot: ZeroShot


@dataclass(frozen=True)
class RegionCeiling:
    """The ceiling with real proposals.

    Attributes:
        images: number of images, those that the store has.
        ceiling: AP.
    """

    images: int
    ceiling: Ceiling


@dataclass(frozen=True)
class TeacherFigures:
    """What was measured; shares are in [0, 1], AP is in percent, None is what could not be.

    Attributes:
        images: number of images that were read.
        objects: number of their objects.
        names: W, the class names that compete.
        novel_names: how many of them are novel.
        crops: zero-shot accuracy of each crop policy. All else is of the first one.
        geometry: mean cosines of true boxes and class names.
        gap: norm of the gap vector, from the mean of the true boxes to that of the class names.
        temperature: divisor of cosines in the softmax of the ceilings.
        alone: ceiling of the teacher alone.
        base_known: ceiling where base classes are known.
        regions: ceiling with real proposals; None without a store.
        probe: the linear probe; None if it was left out, or of too few images.
        retrieval: between whole images and captions; None without captions.
        advice: sentences.
    """

    images: int
    objects: int
    names: int
    novel_names: int
    crops: tuple[CropFigures, ...]
    geometry: Geometry
    gap: float | None
    temperature: float
    alone: Ceiling
    base_known: Ceiling
    regions: RegionCeiling | None
    probe: Probe | None
    retrieval: Retrieval | None
    advice: tuple[str, ...]
