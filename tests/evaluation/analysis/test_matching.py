"""Matching: golden cases, and the same AP50 as the evaluator."""

from __future__ import annotations

import numpy as np
import pytest

from ovdistill.datasets.annotations import read_annotations
from ovdistill.evaluation.accumulate import AREA_ALL, IOU_50, IOU_75
from ovdistill.evaluation.analysis import matching as module
from ovdistill.evaluation.analysis.average_precision import average_precisions
from ovdistill.evaluation.analysis.matching import NONE, find_pairs, match_detections
from ovdistill.evaluation.analysis.run_files import read_detections
from ovdistill.evaluation.analysis.scene import make_found, make_scene
from ovdistill.evaluation.backends import build_evaluator
from tests.evaluation.analysis.worlds import NAMES, make_world, random_world, write_files


def test_the_better_score_chooses_first_and_takes_what_it_overlaps_most():
    objects = [(0, "cat", [0, 0, 10, 10]), (0, "cat", [0, 0, 10, 8])]
    detections = [
        (0, "cat", [0, 0, 10, 8.5], 0.9),  # IoU 0.85 and 0.94
        (0, "cat", [0, 0, 10, 8], 0.8),  # IoU 0.8 and 1, which is taken
        (0, "cat", [0, 0, 10, 8], 0.7),  # nothing is left
    ]
    scene, found = make_world(objects, detections)
    matched = match_detections(found, scene, find_pairs(found, scene.truth))
    assert matched.truth.tolist() == [1, 0, NONE]
    assert matched.wrong.tolist() == [False, False, True]


def test_what_lvis_does_not_know_does_not_count():
    scene, found = make_world(
        [(0, "cat", [0, 0, 10, 10])],
        [(0, "dog", [50, 50, 60, 60], 0.9), (0, "cat", [50, 50, 60, 60], 0.8)],
    )
    scene.checked[0, 1] = False  # nobody looked for dogs
    scene.complete[0, 0] = False  # some cats are not labelled
    matched = match_detections(found, scene, find_pairs(found, scene.truth))
    assert matched.ignored.tolist() == [True, True]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("protocol", ["coco", "lvis"])
def test_ap_is_that_of_the_evaluator(tmp_path, seed, protocol):
    folder = write_files(tmp_path, *random_world(seed), protocol=protocol, ap=0.0)
    annotations = read_annotations(folder / "annotations.json")
    for number, image in enumerate(annotations.images):  # one class in three is not looked for
        image["neg_category_ids"] = [1 + (number + k) % 4 for k in range(2)]
        image["not_exhaustive_category_ids"] = [1 + number % 4]
    records = read_detections(folder / "detections.bbox.json", "bbox")
    images, classes = [*annotations.original_image_ids], [*range(1, len(NAMES) + 1)]
    scene = make_scene(
        annotations, images, classes, [True, True, False, False], federated=protocol == "lvis"
    )
    found = make_found(records, scene, 100, per_class=protocol == "coco")
    curves = build_evaluator("hotcoco", annotations, protocol, 100).curves(
        records, "bbox", images, classes
    )
    pairs = find_pairs(found, scene.truth)
    for threshold, position in ((0.5, IOU_50), (0.75, IOU_75)):
        matched = match_detections(found, scene, pairs, threshold)
        kept = ~matched.ignored
        ap = average_precisions(
            found.labels[kept], found.scores[kept], matched.right[kept], scene.positives
        )
        expected = 100 * curves.precision[position, :, :, AREA_ALL].mean(axis=0)
        np.testing.assert_allclose(ap, expected, atol=1e-9)


def test_pairs_do_not_depend_on_the_size_of_blocks(monkeypatch):
    scene, found = make_world(*random_world(1))
    whole = find_pairs(found, scene.truth)
    monkeypatch.setattr(module, "BLOCK", 7)
    parts = find_pairs(found, scene.truth)
    for name in ("found", "truth", "overlap"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))


def test_the_best_of_an_image_count():
    box = [0.0, 0, 10, 10]
    scene, found = make_world(
        [], [(0, "cat", box, 0.1), (0, "dog", box, 0.9), (0, "cat", box, 0.5)]
    )
    assert found.scores.tolist() == [0.9, 0.5, 0.1]
    records = _records(scene, found)
    assert make_found(records, scene, 2, per_class=False).scores.tolist() == [0.9, 0.5]
    assert make_found(records, scene, 1, per_class=True).scores.tolist() == [0.9, 0.5]


def _records(scene, found):
    from ovdistill.evaluation.records import Records

    boxes = np.concatenate([found.boxes[:, :2], found.boxes[:, 2:] - found.boxes[:, :2]], axis=1)
    ids = scene.image_ids[found.images], scene.cat_ids[found.labels]
    return Records(*ids, found.scores, boxes)
