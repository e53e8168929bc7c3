"""Chooses objects and detections that show what a detector does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ovdistill.evaluation.analysis.errors import BACKGROUND, Errors
from ovdistill.evaluation.analysis.matching import NONE
from ovdistill.evaluation.analysis.naming import MISSED, OTHER_SPLIT, RIGHT, Naming
from ovdistill.evaluation.analysis.scene import Found, Scene, rank_in_group

KINDS = {
    "novel_as_base": "Novel objects called base names, the highest scores first",
    "base_as_novel": "Base objects called novel names, the highest scores first",
    "background": "Detections where no object is labelled, the highest scores first",
    "missed": "Missed objects, novel ones first, then the largest",
    "hits": "Novel objects named right, from the highest score to the lowest",
}


@dataclass(frozen=True)
class Example:
    """An object, a detection, or both, in an image.

    Attributes:
        image: index of the image.
        truth: index of the object, or ``NONE``.
        found: index of the detection, or ``NONE``.
    """

    image: int
    truth: int
    found: int


def choose_examples(
    found: Found, scene: Scene, errors: Errors, naming: Naming, count: int
) -> dict[str, list[Example]]:
    """Return at most ``count`` examples of each of ``KINDS``."""
    truth = scene.truth
    novel = ~scene.is_base[truth.labels]
    wrong = naming.outcomes == OTHER_SPLIT
    sides = truth.boxes[:, 2:] - truth.boxes[:, :2]
    missed = np.flatnonzero(naming.outcomes == MISSED)
    missed = missed[np.lexsort((-sides[missed].prod(axis=1), ~novel[missed]))]
    background = np.flatnonzero(errors.kinds == BACKGROUND)
    background = _varied(background, found.scores[background], found.labels[background])
    hits = np.flatnonzero((naming.outcomes == RIGHT) & novel)
    hits = hits[np.argsort(-found.scores[naming.namers[hits]], kind="stable")]
    spread = np.unique(np.linspace(0, len(hits) - 1, min(count, len(hits))).round().astype(int))

    def objects(chosen: np.ndarray) -> list[Example]:
        rows = chosen[:count].tolist()
        return [Example(int(truth.images[g]), g, int(naming.namers[g])) for g in rows]

    return {
        "novel_as_base": objects(_confused(np.flatnonzero(wrong & novel), found, scene, naming)),
        "base_as_novel": objects(_confused(np.flatnonzero(wrong & ~novel), found, scene, naming)),
        "background": [Example(int(found.images[d]), NONE, d) for d in background[:count].tolist()],
        "missed": objects(missed),
        "hits": objects(hits[spread]),
    }


def _confused(objects: np.ndarray, found: Found, scene: Scene, naming: Naming) -> np.ndarray:
    """Return objects with wrong names, the highest scores first, each pair of names once first."""
    pairs = scene.truth.labels[objects] * len(scene.cat_ids) + naming.names[objects]
    return _varied(objects, found.scores[naming.namers[objects]], pairs)


def _varied(members: np.ndarray, scores: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """Return members by falling score, but the best of every kind before the second of any."""
    order = np.lexsort((-scores, kinds))
    turn = np.empty(len(members), dtype=np.int64)
    turn[order] = rank_in_group(kinds[order])
    return members[np.lexsort((-scores, turn))]
