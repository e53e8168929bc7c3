"""Compares fast evaluators with the references, pycocotools and lvis-api, on one case."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator
from unittest.mock import patch

import numpy as np

from benchmarks.parity.backends import UltrafastEvaluator
from benchmarks.parity.cases import Case
from ovdistill.evaluation.backends import (
    CocoEvaluator,
    Curves,
    Evaluator,
    HotcocoEvaluator,
    LvisEvaluator,
)

FAST: dict[str, Callable[..., Evaluator]] = {
    "hotcoco": HotcocoEvaluator,
    "ultrafast-pycocotools": UltrafastEvaluator,
}


def differences(case: Case) -> dict[str, float]:
    """Return how far each fast evaluator is from the reference at most.

    Compared are all values of precision and recall: of each IoU threshold, recall level, class and
    area range. So differences cannot cancel out in an average.
    """
    expected = evaluate("reference", case)
    return {name: distance(evaluate(name, case), expected) for name in FAST}


def evaluate(name: str, case: Case) -> Curves:
    """Return the curves of a case by one of ``FAST``, or by "reference"."""
    with silence():
        if name in FAST:
            evaluator = FAST[name](case.truth, case.protocol, case.max_dets)
        else:
            kind = LvisEvaluator if case.protocol == "lvis" else CocoEvaluator
            evaluator = kind(case.truth, case.max_dets)
        return evaluator.curves(case.records, case.metric, case.image_ids, case.cat_ids)


def distance(one: Curves, other: Curves) -> float:
    """Return the largest difference of two values in the same place."""
    pairs = ((one.precision, other.precision), (one.recall, other.recall))
    return max(float(np.abs(a - b).max()) for a, b in pairs)


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Keep the libraries quiet, and give lvis 0.5.3 the old name of a type that it needs."""
    logging.getLogger("lvis").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore", DeprecationWarning)
        with patch.object(np, "float", float, create=True):
            yield
