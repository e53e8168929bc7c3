"""What the objects that a detector localises are called.

An object is localised if some detection overlaps it with an IoU of 0.5 or more, whatever its name,
and overlaps no other object more. The best of these detections names it.

Shapes: n detections, G objects, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ovdistill.evaluation.analysis.matching import FOREGROUND, NONE, Pairs
from ovdistill.evaluation.analysis.scene import Found, Scene

# what happens to an object
RIGHT, SAME_SPLIT, OTHER_SPLIT, MISSED = OUTCOMES = (
    *("right", "same_split", "other_split", "missed"),
)


@dataclass(frozen=True, eq=False)
class Naming:
    """The names of G objects.

    Attributes:
        namers: (G,) int64, the detection that names each object; ``NONE`` for one that is missed,
            and for a crowd.
        names: (G,) int64, the class that it is called, or ``NONE``.
        outcomes: (G,) text, one of ``OUTCOMES``; empty for a crowd.
    """

    namers: np.ndarray
    names: np.ndarray
    outcomes: np.ndarray


def name_objects(found: Found, scene: Scene, pairs: Pairs) -> Naming:
    """Return what every object is called."""
    truth = scene.truth
    near = pairs.where((pairs.overlap >= FOREGROUND) & ~truth.crowd[pairs.truth])
    objects, _ = near.best(len(found))
    about = np.flatnonzero(objects != NONE)
    best_first = about[np.argsort(-found.scores[about], kind="stable")]
    named, first = np.unique(objects[best_first], return_index=True)
    namers, names = np.full(len(truth), NONE), np.full(len(truth), NONE)
    namers[named] = best_first[first]
    names[named] = found.labels[namers[named]]
    same_split = scene.is_base[names] == scene.is_base[truth.labels]
    outcomes = np.select(
        [truth.crowd, names == NONE, names == truth.labels, same_split],
        ["", MISSED, RIGHT, SAME_SPLIT],
        default=OTHER_SPLIT,
    )
    return Naming(namers, names, outcomes)


def outcome_shares(naming: Naming, scene: Scene) -> dict[str, dict[str, float]]:
    """Return the share of base and of novel objects with each outcome, in percent.

    Returns:
        By "base" and "novel", for each of ``OUTCOMES``, and "objects", their number.
    """
    base = scene.is_base[scene.truth.labels]
    shares = {}
    for group, members in (("base", base), ("novel", ~base)):
        outcomes = naming.outcomes[members & (naming.outcomes != "")]
        total = len(outcomes)
        shares[group] = {"objects": float(total)} | {
            outcome: 100 * float((outcomes == outcome).sum()) / max(total, 1)
            for outcome in OUTCOMES
        }
    return shares


def confusion_matrix(naming: Naming, scene: Scene) -> np.ndarray:
    """Return (K, K + 1) int64: how many objects of a class (row) have each name (column).

    The last column counts the objects that are missed.
    """
    classes = len(scene.cat_ids)
    counted = naming.outcomes != ""
    names = np.where(naming.names == NONE, classes, naming.names)[counted]
    cells = scene.truth.labels[counted] * (classes + 1) + names
    return np.bincount(cells, minlength=classes * (classes + 1)).reshape(classes, classes + 1)


def confusions(matrix: np.ndarray) -> list[tuple[int, int, int]]:
    """Return the class, the wrong name and the count of every confusion, the most frequent first.

    Args:
        matrix: see ``confusion_matrix``.
    """
    wrong = matrix[:, :-1].copy()
    np.fill_diagonal(wrong, 0)
    rows, columns = np.nonzero(wrong)
    counts = wrong[rows, columns]
    order = np.argsort(-counts, kind="stable")
    columns_of = (rows[order].tolist(), columns[order].tolist(), counts[order].tolist())
    return list(zip(*columns_of, strict=True))
