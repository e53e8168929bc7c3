"""Which examples are shown."""

from __future__ import annotations

from ovdistill.evaluation.analysis.errors import find_errors
from ovdistill.evaluation.analysis.examples import Example, choose_examples
from ovdistill.evaluation.analysis.matching import NONE, find_pairs, match_detections
from ovdistill.evaluation.analysis.naming import name_objects
from tests.evaluation.analysis.worlds import make_world


def choose(objects, detections, count):
    scene, found = make_world(objects, detections)
    pairs = find_pairs(found, scene.truth)
    errors = find_errors(found, scene, pairs, match_detections(found, scene, pairs))
    return choose_examples(found, scene, errors, name_objects(found, scene, pairs), count)


def box(x: float) -> list[float]:
    return [x, 0, x + 10, 10]


def test_confusions_hits_misses_and_background():
    objects = [(0, "yak", box(0)), (0, "emu", box(20)), (0, "cat", box(40)), (1, "yak", box(0))]
    detections = [
        (0, "cat", box(0), 0.9),
        (0, "emu", box(20), 0.8),
        (0, "yak", box(40), 0.7),
        (0, "dog", box(80), 0.6),
    ]
    chosen = choose(objects, detections, 5)
    assert chosen == {
        "novel_as_base": [Example(0, 0, 0)],
        "base_as_novel": [Example(0, 2, 2)],
        "background": [Example(0, NONE, 3)],
        "missed": [Example(1, 3, NONE)],
        "hits": [Example(0, 1, 1)],
    }


def test_every_pair_of_names_comes_before_a_second_one():
    objects = [(image, "yak", box(0)) for image in range(3)]
    detections = [(0, "cat", box(0), 0.9), (1, "cat", box(0), 0.8), (2, "dog", box(0), 0.3)]
    assert [one.image for one in choose(objects, detections, 3)["novel_as_base"]] == [0, 2, 1]


def test_hits_from_the_highest_score_to_the_lowest():
    objects = [(image, "yak", box(0)) for image in range(9)]
    detections = [(image, "yak", box(0), 0.9 - 0.1 * image) for image in range(9)]
    assert [one.image for one in choose(objects, detections, 3)["hits"]] == [0, 4, 8]


def test_nothing_to_show():
    assert not any(choose([], [], 3).values())
    assert not any(choose([(0, "cat", box(0))], [], 0).values())
