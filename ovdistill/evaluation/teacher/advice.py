"""Advice in words on a teacher, each piece drawn from measured figures.

A difference counts if it is five points or more, and the 95 % intervals of the two shares do not
meet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ovdistill.evaluation.regions.advice import NOTHING, advise_on_teacher
from ovdistill.evaluation.regions.figures import Accuracy
from ovdistill.evaluation.regions.geometry import Geometry
from ovdistill.evaluation.regions.percent import percent
from ovdistill.evaluation.teacher.figures import CropFigures
from ovdistill.evaluation.teacher.linear_probe import Probe
from ovdistill.evaluation.teacher.shares import Share
from ovdistill.evaluation.teacher.zero_shot import ZeroShot

LEAST_DIFFERENCE = 0.05
Kind = tuple[str, Callable[[ZeroShot], Share]]
NOVEL: Kind = ("novel", lambda zero_shot: zero_shot.novel.top1)
ALL: Kind = ("all", lambda zero_shot: zero_shot.everything.top1)


def advise(
    crops: Sequence[CropFigures], names: int, geometry: Geometry, probe: Probe | None
) -> tuple[str, ...]:
    """Return advice; one line that says so if there is none.

    Args:
        crops: accuracy with each crop policy; the first is the one that all else was measured with.
        names: W, the class names among which the teacher chooses.
        geometry: of true boxes and class names.
        probe: the linear probe; None if there is none.
    """
    zero_shot = crops[0].zero_shot
    base = zero_shot.base.top1
    found = advise_on_teacher(Accuracy(base.count, base.share), names, geometry)
    found += [line for line in (_crops(crops), _base_wins(zero_shot)) if line]
    if probe is not None and (line := _texts(zero_shot, probe)):
        found.append(line)
    return tuple(found) or (NOTHING,)


def _crops(crops: Sequence[CropFigures]) -> str | None:
    """Say which crops name more objects, of novel classes where there are some."""
    kind, share = NOVEL if NOVEL[1](crops[0].zero_shot).count else ALL
    here = share(crops[0].zero_shot)
    best = max(crops, key=lambda own: share(own.zero_shot).share or 0.0)
    there = share(best.zero_shot)
    if not _is_above(there, here):
        return None
    return (
        f"crops {best.name} name {percent(there.share)} of {kind} objects as labelled, "
        f"{crops[0].name} {percent(here.share)}: ovdistill extract {_extract_options(best.policy)}"
    )


def _extract_options(policy: Mapping[str, Any]) -> str:
    """Return the options of `ovdistill extract` that choose a way to embed regions."""
    if "scales" not in policy:
        return f"--dense-size {policy['size']}"
    scales = " ".join(f"{scale:g}" for scale in policy["scales"])
    return f"--crop-shape {policy['shape']} --crop-scales {scales}"


def _base_wins(zero_shot: ZeroShot) -> str | None:
    """Say that base names take novel objects, which labels of base classes can take back."""
    alone, among_all = zero_shot.novel_alone.top1, zero_shot.novel.top1
    if not _is_above(alone, among_all):
        return None
    return (
        f"novel objects are told apart among novel names ({percent(alone.share)}), and base names "
        f"win many of them ({percent(among_all.share)} among all names): a student that learns "
        "base classes from labels can be better than its teacher here"
    )


def _texts(zero_shot: ZeroShot, probe: Probe) -> str | None:
    """Say that the embeddings of images hold more than those of names tell."""
    named, labelled = zero_shot.everything.top1, probe.everything
    if not _is_above(labelled, named):
        return None
    return (
        f"a linear probe tells {percent(labelled.share)} of the objects apart, the names "
        f"{percent(named.share)}: the images hold more than the texts say. Try other templates "
        "(--templates vild63), synonyms, other spellings of the confused names, or learned "
        "prompts (ovdistill vocab learn)"
    )


def _is_above(first: Share, second: Share) -> bool:
    if first.share is None or second.share is None:
        return False
    assert first.low is not None and second.high is not None  # both have objects
    return first.low > second.high and first.share - second.share >= LEAST_DIFFERENCE
