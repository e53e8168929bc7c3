"""How much AP each kind of error costs: TIDE (Bolya et al., ECCV 2020, arXiv 2008.08115).

Every false positive has one kind. A kind costs the AP that is won when its errors are mended and
nothing else: a wrong name or box is put right where no better detection finds the object, all
other false positives are taken away, and missed objects are no longer asked for.

Shapes: n detections, G objects, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ovdistill.evaluation.accumulate import NO_TRUTH, mean_percent
from ovdistill.evaluation.analysis.average_precision import average_precisions
from ovdistill.evaluation.analysis.matching import FOREGROUND, NONE, Matching, Pairs
from ovdistill.evaluation.analysis.scene import Found, Scene

# kinds of false positives, in the order in which they are told apart
LOCALISATION, CLASSIFICATION, DUPLICATE, BACKGROUND, BOTH = KINDS = (
    *("localisation", "classification", "duplicate", "background", "both"),
)
MISSED = "missed"
NO_ERROR = ""


@dataclass(frozen=True, eq=False)
class Errors:
    """The kind of each error, and what would mend it.

    Attributes:
        kinds: (n,) text, one of ``KINDS``, or ``NO_ERROR``.
        targets: (n,) int64, the object that a detection with a wrong box or a wrong name is about,
            else ``NONE``.
        mends: (n,) bool, the best of the detections that are about an object that none finds.
        missed: (G,) bool, objects that no detection finds and that none is about.
    """

    kinds: np.ndarray
    targets: np.ndarray
    mends: np.ndarray
    missed: np.ndarray


def find_errors(found: Found, scene: Scene, pairs: Pairs, matching: Matching) -> Errors:
    """Tell the kind of every error.

    Args:
        found: n detections.
        scene: G objects.
        pairs: those of the two that overlap by 0.1 or more.
        matching: which detections are right, at an IoU of 0.5.
    """
    truth, count = scene.truth, len(found)
    pairs = pairs.where(~truth.crowd[pairs.truth])
    same = found.labels[pairs.found] == truth.labels[pairs.truth]
    own, own_overlap = pairs.where(same).best(count)
    other, other_overlap = pairs.where(~same).best(count)
    kinds = np.select(
        [
            ~matching.wrong,
            (own != NONE) & (own_overlap < FOREGROUND),
            other_overlap >= FOREGROUND,
            own_overlap >= FOREGROUND,
            (own == NONE) & (other == NONE),
        ],
        [NO_ERROR, LOCALISATION, CLASSIFICATION, DUPLICATE, BACKGROUND],
        default=BOTH,
    )
    targets = np.select(
        [kinds == LOCALISATION, kinds == CLASSIFICATION], [own, other], default=NONE
    )
    unfound = ~truth.crowd
    unfound[matching.truth[matching.right]] = False
    about = np.flatnonzero(targets != NONE)
    about = about[unfound[targets[about]]]
    best_first = about[np.argsort(-found.scores[about], kind="stable")]
    mended, first = np.unique(targets[best_first], return_index=True)
    mends = np.zeros(count, dtype=bool)
    mends[best_first[first]] = True
    missed = unfound.copy()
    missed[mended] = False
    return Errors(kinds, targets, mends, missed)


def error_costs(
    found: Found, scene: Scene, matching: Matching, errors: Errors
) -> dict[str, dict[str, float]]:
    """Return what each kind of error costs.

    Errors of all classes are mended together, so a novel object with the name of a base class costs
    the novel class a hit, and the base class a false positive.

    Returns:
        AP50 in percent, ``"AP50"``, and the gain from mending each of ``KINDS``, ``MISSED``,
        ``"false_positives"`` and ``"false_negatives"``; each for "all", "base" and "novel".
        -1.0 for a group without objects.
    """
    positives, truth = scene.positives, scene.truth
    nothing = np.zeros(len(found), dtype=bool)

    def measure(keep: np.ndarray, mended: np.ndarray, asked: np.ndarray) -> dict[str, float]:
        right = matching.right | mended
        labels = found.labels.copy()
        labels[mended] = truth.labels[errors.targets[mended]]
        ap = average_precisions(labels[keep], found.scores[keep], right[keep], asked)
        return by_group(np.where(positives > 0, ap / 100, NO_TRUTH), scene.is_base)

    counted = ~matching.ignored
    before = measure(counted, nothing, positives)
    hits = np.bincount(found.labels[matching.right], minlength=len(positives))
    missed = np.bincount(truth.labels[errors.missed], minlength=len(positives))
    after = {}
    for kind in KINDS:
        mended = errors.mends & (errors.kinds == kind)
        kept = counted & ((errors.kinds != kind) | mended)
        after[kind] = measure(kept, mended, positives)
    after[MISSED] = measure(counted, nothing, positives - missed)
    after["false_positives"] = measure(matching.right, nothing, positives)
    after["false_negatives"] = measure(counted, nothing, hits)
    return {"AP50": before, **{kind: _gains(ap, before) for kind, ap in after.items()}}


def count_errors(found: Found, scene: Scene, errors: Errors) -> dict[str, dict[str, int]]:
    """Return how many errors of each kind there are, by the class of the detection or object."""
    counts = {}
    for kind in KINDS:
        base = scene.is_base[found.labels[errors.kinds == kind]]
        counts[kind] = _counts(base)
    counts[MISSED] = _counts(scene.is_base[scene.truth.labels[errors.missed]])
    return counts


def by_group(values: np.ndarray, is_base: np.ndarray) -> dict[str, float]:
    """Return the mean over all, base and novel classes, in percent.

    Args:
        values: (K,) in [0, 1], -1 for a class without objects.
        is_base: (K,) bool.

    Returns:
        -1.0 for a group without objects.
    """
    chosen = {"all": np.ones_like(is_base), "base": is_base, "novel": ~is_base}
    return {group: mean_percent(values[mask]) for group, mask in chosen.items()}


def _gains(after: dict[str, float], before: dict[str, float]) -> dict[str, float]:
    return {
        group: max(ap - before[group], 0.0) if before[group] >= 0 else NO_TRUTH
        for group, ap in after.items()
    }


def _counts(base: np.ndarray) -> dict[str, int]:
    return {"all": len(base), "base": int(base.sum()), "novel": int((~base).sum())}
