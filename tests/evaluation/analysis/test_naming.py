"""What objects are called, by hand."""

from __future__ import annotations

import pytest

from ovdistill.evaluation.analysis.matching import NONE, find_pairs
from ovdistill.evaluation.analysis.naming import (
    confusion_matrix,
    confusions,
    name_objects,
    outcome_shares,
)
from tests.evaluation.analysis.worlds import make_world

A, B, C, D = ([x, 0.0, x + 10, 10] for x in (0.0, 20, 40, 60))


def test_outcomes_of_base_and_novel_objects():
    objects = [(0, "yak", A), (0, "yak", B), (0, "yak", C), (0, "emu", D), (1, "cat", A)]
    detections = [
        (0, "cat", A, 0.9),  # a base name, better than the right one
        (0, "yak", A, 0.8),
        (0, "yak", B, 0.7),
        (0, "emu", C, 0.6),
        (0, "emu", [60, 0, 70, 4], 0.99),  # IoU 0.4
        (1, "yak", A, 0.3),
    ]
    scene, found = make_world(objects, detections)
    naming = name_objects(found, scene, find_pairs(found, scene.truth))
    assert naming.outcomes.tolist() == [
        *("other_split", "right", "same_split", "missed", "other_split"),
    ]
    assert naming.namers[3] == NONE
    shares = outcome_shares(naming, scene)
    assert shares["novel"] == {
        "objects": 4, "right": 25, "same_split": 25, "other_split": 25, "missed": 25,
    }  # fmt: skip
    assert shares["base"]["other_split"] == pytest.approx(100)
    matrix = confusion_matrix(naming, scene)
    # rows cat, dog, yak, emu; the last column is missed
    assert matrix.tolist() == [[0, 0, 1, 0, 0], [0] * 5, [1, 0, 1, 1, 0], [0, 0, 0, 0, 1]]
    assert sorted(confusions(matrix)) == [(0, 2, 1), (2, 0, 1), (2, 3, 1)]


def test_a_detection_names_the_object_that_it_overlaps_most():
    objects = [(0, "cat", [0, 0, 10, 10]), (0, "dog", [0, 0, 10, 6])]
    # IoU 0.7 with the cat, 6/7 with the dog
    scene, found = make_world(objects, [(0, "cat", [0, 0, 10, 7], 0.9)])
    naming = name_objects(found, scene, find_pairs(found, scene.truth))
    assert naming.outcomes.tolist() == ["missed", "same_split"]


def test_crowds_are_left_out():
    scene, found = make_world([(0, "cat", A)], [(0, "dog", A, 0.9)])
    scene.truth.crowd[:] = True
    naming = name_objects(found, scene, find_pairs(found, scene.truth))
    assert naming.outcomes.tolist() == [""]
    assert outcome_shares(naming, scene)["base"]["objects"] == 0
    assert not confusion_matrix(naming, scene).any()
