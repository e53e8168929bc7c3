"""Distillation regions as means of pixels."""

from __future__ import annotations

import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData
from torch.nn.functional import normalize

from ovdistill.distillation.batch import DistillPixels
from ovdistill.segmentation.models.pixel_regions import pixel_regions


def sample(boxes: list[list[float]]) -> DetDataSample:
    own = DetDataSample()
    own.teacher_regions = InstanceData(
        bboxes=torch.tensor(boxes).reshape(-1, 4),
        objectness=torch.ones(len(boxes)),
        embeddings=torch.ones(len(boxes), 3),
    )
    return own


def pixels(labels: torch.Tensor) -> DistillPixels:
    student = normalize(torch.randn(len(labels), 3, 4, 4), dim=1).requires_grad_()
    return DistillPixels(student, labels, labels < 0, torch.ones_like(labels) > 0, None)


def test_a_region_is_the_mean_of_its_unlabelled_pixels_or_of_all():
    labels = torch.zeros(2, 4, 4, dtype=torch.long)
    labels[1, 0, 1] = labels[1, 3, 3] = -1
    given = pixels(labels)
    # in pixels of an input of 8 x 8: two by two positions at the upper left
    box = [0.0, 0.0, 4.0, 4.0]
    found = pixel_regions(given, [sample([box]), sample([box])], (8, 8))
    student = given.student
    torch.testing.assert_close(
        found.student[0], normalize(student[0, :, :2, :2].flatten(1).mean(dim=1), dim=0)
    )
    torch.testing.assert_close(found.student[1], student[1, :, 0, 1])
    assert found.image_index.tolist() == [0, 1] and found.overlap.tolist() == [0.0, 0.0]


def test_means_are_of_full_precision_under_autocast():
    labels = torch.zeros(1, 4, 4, dtype=torch.long)
    given = pixels(labels)
    boxes = [[0.0, 0.0, 8.0, 8.0], [0.0, 0.0, 4.0, 8.0]]
    expected = pixel_regions(given, [sample(boxes)], (8, 8)).student
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = pixel_regions(given, [sample(boxes)], (8, 8)).student
    assert torch.equal(found, expected)


def test_ignored_pixels_of_a_region_are_not_taken_for_its_object():
    """A border between objects has the label -1 as an unlabelled pixel, and says nothing."""
    labels = torch.zeros(1, 4, 4, dtype=torch.long)
    labels[0, 0, 1] = labels[0, 1, 1] = -1
    given = pixels(labels)
    given.unlabelled[0, 1, 1] = False
    found = pixel_regions(given, [sample([[0.0, 0.0, 4.0, 4.0]])], (8, 8))
    torch.testing.assert_close(found.student[0], given.student[0, :, 0, 1])


def test_a_small_region_has_the_pixel_next_to_it():
    given = pixels(torch.zeros(1, 4, 4, dtype=torch.long))
    found = pixel_regions(given, [sample([[6.1, 4.1, 6.4, 4.2]])], (8, 8))
    torch.testing.assert_close(found.student[0], given.student[0, :, 2, 3])


def test_rows_are_heights_and_columns_are_widths():
    given = pixels(torch.zeros(1, 4, 4, dtype=torch.long))
    found = pixel_regions(given, [sample([[0.0, 12.0, 2.0, 16.0]])], (16, 8))
    torch.testing.assert_close(found.student[0], given.student[0, :, 3, 0])


def test_a_batch_without_regions_keeps_the_graph():
    given = pixels(torch.zeros(1, 4, 4, dtype=torch.long))
    found = pixel_regions(given, [sample([])], (8, 8))
    assert found.student.shape == (0, 3) and found.student.requires_grad
