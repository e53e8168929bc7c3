"""Two independent fast evaluators against the references, value by value, on random cases.

`python benchmarks/evaluators.py` does the same on 10,000 of them.
"""

from __future__ import annotations

import numpy as np
import pytest

from ovdistill.evaluation.backends import HotcocoEvaluator, without_empty
from ovdistill.evaluation.records import Records

TOLERANCE = 1e-9
EACH = 100  # cases of a test


@pytest.mark.parametrize("first", range(0, 4 * EACH, EACH))
def test_fast_evaluators_equal_the_references(first):
    pytest.importorskip("lvis", reason="lvis-api is not installed")
    pytest.importorskip("ultrafast_pycocotools", reason="ultrafast-pycocotools is not installed")
    from benchmarks.parity.cases import random_case
    from benchmarks.parity.compare import differences

    for seed in range(first, first + EACH):
        for name, value in differences(random_case(seed)).items():
            assert value <= TOLERANCE, f"{name} on case {seed}"


def test_the_cases_are_not_trivial():
    """Of all cases, most have a figure between 0 and 1, and every kind occurs."""
    from benchmarks.parity.cases import random_case

    cases = [random_case(seed) for seed in range(200)]
    assert {(c.protocol, c.metric) for c in cases} == {
        (protocol, metric) for protocol in ("coco", "lvis") for metric in ("bbox", "segm")
    }
    partial = 0
    for case in cases:
        evaluator = HotcocoEvaluator(case.truth, case.protocol, case.max_dets)
        curves = evaluator.curves(case.records, case.metric, case.image_ids, case.cat_ids)
        partial += bool(((curves.precision > 0) & (curves.precision < 1)).any())
    assert partial > 80
    assert any(len(case.records) == 0 for case in cases)
    assert any(not case.truth["annotations"] for case in cases)
    assert any(a["iscrowd"] for case in cases for a in case.truth["annotations"])


def test_boxes_without_area_take_a_place_and_are_then_left_out():
    """lvis-api's order: the best two of the image first, then those that have an area."""
    records = Records(
        image_ids=np.array([7, 7, 7]),
        category_ids=np.array([1, 1, 1]),
        scores=np.array([0.5, 0.9, 0.7]),
        boxes=np.array([[0, 0, 9, 9], [0, 0, 0, 9], [1, 1, 5, 5]], dtype=float),
    )
    assert without_empty(records, "bbox", 2).scores.tolist() == [0.7]
    assert without_empty(records.take(np.array([0, 2])), "bbox", 1).scores.tolist() == [0.5, 0.7]
