"""Regions and objects of an image, matched by hand."""

import torch

from ovdistill.evaluation.regions.matching import NO_OBJECT, Objects, match_regions

IS_BASE = torch.tensor([True, True, False])


def objects(*rows: tuple[list[float], int]) -> Objects:
    boxes = torch.tensor([box for box, _ in rows]).reshape(-1, 4)
    return Objects(boxes, torch.tensor([label for _, label in rows], dtype=torch.int64))


def test_labels_and_overlap():
    found = objects(([0.0, 0, 10, 10], 1), ([20.0, 0, 30, 10], 2))
    boxes = torch.tensor(
        [
            [0.0, 0, 10, 8],  # IoU 0.8 with the base object
            [0.0, 0, 10, 4],  # 0.4: on none
            [20.0, 0, 30, 5],  # 0.5 with the novel one, which is enough
            [50.0, 0, 60, 5],
        ]
    )
    match = match_regions(boxes, found, IS_BASE)
    assert match.labels.tolist() == [1, NO_OBJECT, 2, NO_OBJECT]
    torch.testing.assert_close(match.overlap, torch.tensor([0.8, 0.5], dtype=torch.float64))


def test_a_base_object_comes_first():
    """As in training, which does not know the novel object that fits better."""
    found = objects(([0.0, 0, 10, 6], 0), ([0.0, 0, 10, 10], 2))
    match = match_regions(torch.tensor([[0.0, 0, 10, 10]]), found, IS_BASE)
    assert match.labels.tolist() == [0]
    assert match.overlap.tolist() == [0.6, 1.0]


def test_the_better_of_two_base_objects():
    found = objects(([0.0, 0, 10, 6], 0), ([0.0, 0, 10, 9], 1))
    assert match_regions(torch.tensor([[0.0, 0, 10, 10]]), found, IS_BASE).labels.tolist() == [1]


def test_without_regions_or_objects():
    box = [0.0, 0, 10, 10]
    match = match_regions(torch.zeros(0, 4), objects((box, 0)), IS_BASE)
    assert (match.labels.tolist(), match.overlap.tolist()) == ([], [0.0])
    match = match_regions(torch.tensor([box]), objects(), IS_BASE)
    assert (match.labels.tolist(), match.overlap.tolist()) == ([NO_OBJECT], [])


def test_a_region_without_area_is_on_nothing():
    point = [5.0, 5, 5, 5]
    match = match_regions(torch.tensor([point]), objects((point, 0)), IS_BASE)
    assert (match.labels.tolist(), match.overlap.tolist()) == ([NO_OBJECT], [0.0])
