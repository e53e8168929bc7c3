"""TIDE's split of errors, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ovdistill.evaluation.analysis.errors import (
    Errors,
    count_errors,
    error_costs,
    find_errors,
)
from ovdistill.evaluation.analysis.matching import NONE, Matching, find_pairs, match_detections
from ovdistill.evaluation.analysis.scene import Found, Scene
from tests.evaluation.analysis.worlds import make_world

CAT, YAK = [0.0, 0, 10, 10], [50.0, 50, 60, 60]


def split(objects, detections) -> tuple[Scene, Found, Matching, Errors]:
    scene, found = make_world(objects, detections)
    pairs = find_pairs(found, scene.truth)
    matching = match_detections(found, scene, pairs)
    return scene, found, matching, find_errors(found, scene, pairs, matching)


def test_every_kind_of_error():
    objects = [(0, "cat", CAT), (0, "yak", YAK)]
    detections = [
        (0, "cat", CAT, 0.9),  # right
        (0, "cat", [0, 0, 10, 9], 0.8),  # again
        (0, "cat", [0, 0, 10, 4], 0.7),  # IoU 0.4 with its object
        (0, "dog", YAK, 0.6),  # another name
        (0, "dog", [50, 50, 60, 53], 0.5),  # IoU 0.3 with an object of another name
        (0, "dog", [80, 80, 90, 90], 0.4),  # nothing there
        (0, "dog", [50, 50, 60, 50.9], 0.3),  # IoU 0.09: nothing either
    ]
    scene, found, matching, errors = split(objects, detections)
    assert matching.right.tolist() == [True] + [False] * 6
    assert errors.kinds.tolist() == [
        *("", "duplicate", "localisation", "classification"),
        *("both", "background", "background"),
    ]
    assert errors.targets.tolist() == [NONE, NONE, 0, 1, NONE, NONE, NONE]
    # the cat is found already, so that its bad box mends nothing; the yak's wrong name does
    assert errors.mends.tolist() == [False, False, False, True, False, False, False]
    assert not errors.missed.any()
    counts = count_errors(found, scene, errors)
    assert counts["background"] == {"all": 2, "base": 2, "novel": 0}
    assert counts["missed"] == {"all": 0, "base": 0, "novel": 0}


def test_a_wrong_name_costs_the_class_of_the_object_and_that_of_the_name():
    objects = [(0, "cat", CAT), (0, "yak", YAK)]
    detections = [(0, "cat", YAK, 0.9), (0, "cat", CAT, 0.8)]
    scene, found, matching, errors = split(objects, detections)
    costs = error_costs(found, scene, matching, errors)
    # AP50 of cats is 1/2 (precision 1/2 at every recall), of yaks 0
    assert costs["AP50"] == pytest.approx({"all": 25, "base": 50, "novel": 0})
    assert costs["classification"] == pytest.approx({"all": 75, "base": 50, "novel": 100})
    assert costs["localisation"] == {"all": 0, "base": 0, "novel": 0}
    assert costs["false_positives"] == pytest.approx({"all": 25, "base": 50, "novel": 0})


def test_of_two_that_could_mend_an_object_only_the_better_does():
    # a bad box with the right name, and a worse detection with the right box and another name
    detections = [(0, "yak", [50, 50, 60, 54], 0.9), (0, "emu", YAK, 0.8)]
    scene, found, matching, errors = split([(0, "yak", YAK), (0, "emu", CAT)], detections)
    assert errors.kinds.tolist() == ["localisation", "classification"]
    assert errors.mends.tolist() == [True, False]
    costs = error_costs(found, scene, matching, errors)
    assert costs["localisation"]["novel"] == pytest.approx(50)  # yak 100, emu 0
    assert costs["classification"]["novel"] == 0  # mended, it is only taken away
    assert errors.missed.tolist() == [False, True]


def test_missed_objects_are_no_longer_asked_for():
    objects = [(0, "cat", CAT), (1, "cat", CAT), (0, "yak", YAK)]
    scene, found, matching, errors = split(objects, [(0, "cat", CAT, 0.9)])
    costs = error_costs(found, scene, matching, errors)
    half = 100 * 51 / 101  # precision 1 at the recall levels 0, 0.01, ..., 0.5
    assert costs["AP50"]["base"] == pytest.approx(half)
    assert costs["missed"]["base"] == pytest.approx(100 - half)
    assert costs["missed"]["novel"] == 0  # a class of which nothing is found stays at 0
    assert errors.missed.tolist() == [False, True, True]


def test_a_group_without_objects_has_no_figures():
    scene, found, matching, errors = split([(0, "cat", CAT)], [(0, "cat", CAT, 0.9)])
    costs = error_costs(found, scene, matching, errors)
    assert costs["AP50"] == {"all": 100, "base": 100, "novel": -1}
    assert costs["missed"]["novel"] == -1


def test_crowds_are_neither_missed_nor_wrong():
    scene, found = make_world([(0, "cat", CAT)], [(0, "cat", [2, 2, 6, 6], 0.9)])
    scene.truth.crowd[:] = True
    pairs = find_pairs(found, scene.truth)
    matching = match_detections(found, scene, pairs)
    errors = find_errors(found, scene, pairs, matching)
    assert matching.ignored.tolist() == [True]
    assert errors.kinds.tolist() == [""] and not errors.missed.any()


def test_no_detections_at_all():
    scene, found, matching, errors = split([(0, "cat", CAT)], [])
    assert error_costs(found, scene, matching, errors)["AP50"]["base"] == 0
    assert errors.missed.tolist() == [True]
    assert np.array_equal(scene.positives, [1, 0, 0, 0])
