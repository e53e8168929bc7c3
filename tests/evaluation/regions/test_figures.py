"""The figures of a store, of two images by hand."""

from dataclasses import asdict

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.evaluation.regions.figures import measure_regions
from ovdistill.evaluation.regions.matching import Objects
from ovdistill.store import Regions

from .worlds import BASE_BOX, IS_BASE, TEXTS, image


def test_two_images():
    images = [image((0, 2)), image((1, 2))]  # the teacher takes the second base object for class 1
    found = measure_regions(images, 3, IS_BASE, TEXTS)
    assert (found.images, found.regions, found.names) == (2, 6, 3)
    assert (found.base_recall.objects, found.base_recall.at_75) == (2, 1)
    assert (found.novel_recall.objects, found.novel_recall.at_50) == (2, 1)
    assert (found.on_base, found.on_novel) == pytest.approx((1 / 3, 1 / 3))
    assert (found.base_accuracy.regions, found.base_accuracy.share) == (2, 0.5)
    assert (found.novel_accuracy.regions, found.novel_accuracy.share) == (2, 1)
    assert found.objectness.above_threshold.novel_share == 1
    assert found.geometry.own_name.cosine == pytest.approx(3 / 4)


def test_base_figures_do_not_depend_on_novel_boxes():
    with_novel = measure_regions([image((0, 1))], 3, IS_BASE, TEXTS)
    without = measure_regions([image((0, 1), novel=False)], 3, IS_BASE, TEXTS)
    for name in ("base_recall", "on_base", "base_accuracy"):
        assert getattr(with_novel, name) == getattr(without, name)
    assert with_novel.objectness.labelled == without.objectness.labelled
    assert without.on_novel is None and without.novel_recall.at_50 is None
    assert without.objectness.above_threshold.novel_share is None


def test_recall_at_two_overlaps():
    regions = Regions(torch.tensor([[0.0, 0, 10, 6]]), torch.ones(1), torch.eye(3)[:1].half())
    objects = Objects(torch.tensor([BASE_BOX]), torch.tensor([0]))
    recall = measure_regions([(regions, objects)], 3, IS_BASE).base_recall
    assert (recall.at_50, recall.at_75) == (1, 0)


def test_without_text_embeddings_or_regions():
    empty = Regions(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, 3).half())
    found = measure_regions([(empty, image((0, 0))[1])], 3, IS_BASE)
    assert found.base_recall.at_50 == 0
    assert found.base_accuracy.share is None and found.on_base is None
    assert asdict(found)["geometry"]["own_name"] == {"cosine": None, "pairs": 0}


def test_no_images():
    with pytest.raises(UserError, match="no image"):
        measure_regions([], 3, IS_BASE)
