"""A linear probe on embeddings whose classes are known."""

import pytest
import torch
import torch.nn.functional as F

from ovdistill.evaluation.teacher import linear_probe
from ovdistill.evaluation.teacher.linear_probe import _Model, _split, measure_probe
from ovdistill.evaluation.teacher.objects import TrueObjects

IS_BASE = torch.tensor([True, True, False])


def objects(noise: float, images: int = 60) -> TrueObjects:
    """Four objects in each image, about one direction for each of three classes."""
    labels = torch.randint(0, 3, (4 * images,))
    offset = torch.tensor([0.0, 0, 0, 5, 0])  # as of a modality gap
    embeddings = F.one_hot(labels, 5) + offset + noise * torch.randn(len(labels), 5)
    return TrueObjects(
        image_ids=torch.arange(images).repeat_interleave(4),
        boxes=torch.zeros(len(labels), 4),
        labels=labels,
        embeddings=F.normalize(embeddings, dim=1),
    )


def test_it_finds_what_is_there_and_nothing_where_nothing_is():
    found = measure_probe(objects(0.1), IS_BASE)
    assert found.everything.share == 1 and found.classes == 3 and found.unseen == 0
    assert found.everything.count == found.base.count + found.novel.count == 240 - found.fitted
    empty = measure_probe(objects(1000.0), IS_BASE)
    assert empty.everything.low < 1 / 3 < empty.everything.high
    assert empty.penalty >= 0.1  # the strongest ones


def test_it_depends_on_the_seed_alone():
    noisy = objects(0.7)
    first = measure_probe(noisy, IS_BASE, seed=1)
    torch.rand(3)
    assert measure_probe(noisy, IS_BASE, seed=1) == first
    assert measure_probe(noisy, IS_BASE, seed=2) != first
    assert 0.4 < first.everything.share < 1


def test_no_image_is_in_two_parts():
    image_ids = torch.arange(100).repeat_interleave(3)
    parts = [{*image_ids[rows].tolist()} for rows in _split(image_ids, (0.6, 0.2), seed=0)]
    assert list(map(len, parts)) == [60, 20, 20]
    assert len(set.union(*parts)) == 100


def test_of_very_many_objects_some_images_are_taken(monkeypatch):
    monkeypatch.setattr(linear_probe, "MOST_OBJECTS", 120)
    assert sum(map(len, _split(torch.arange(100).repeat_interleave(3), (0.6, 0.2), 0))) == 120


def test_the_weights_are_where_the_gradient_is_zero():
    """For cross-entropy + penalty / 2 |w|^2: X^T (p - y) / n + penalty w = 0, mean(p - y) = 0."""
    features, labels = torch.randn(50, 4, dtype=torch.float64), torch.randint(3, 6, (50,))
    model = _Model(features, labels)
    model.fit(0.1)
    error = (features @ model.weight + model.bias).softmax(1) - F.one_hot(labels - 3, 3)
    gradient = features.T @ error / 50 + 0.1 * model.weight
    torch.testing.assert_close(gradient, torch.zeros_like(gradient), atol=1e-4, rtol=0)
    torch.testing.assert_close(error.mean(0), torch.zeros(3).double(), atol=1e-4, rtol=0)
    assert model.weight.abs().max() > 1e-3
    assert {*model.predict(features).tolist()} <= {3, 4, 5}


def test_a_class_that_no_fitted_object_has_is_left_out():
    found = objects(0.1)
    held_out = _split(found.image_ids, (0.6, 0.2), seed=0)[2]
    labels = found.labels.clamp(max=1)
    labels[held_out[0]] = 2
    changed = TrueObjects(found.image_ids, found.boxes, labels, found.embeddings)
    probe = measure_probe(changed, IS_BASE)
    assert (probe.unseen, probe.classes) == (1, 2)
    assert probe.everything.count == len(held_out) - 1 and probe.novel.share is None


@pytest.mark.parametrize("images", [0, 9])
def test_of_too_few_images_there_is_none(images):
    assert measure_probe(objects(0.1, images), IS_BASE) is None


def test_of_one_class_there_is_none():
    found = objects(0.1)
    one = TrueObjects(
        found.image_ids, found.boxes, torch.zeros_like(found.labels), found.embeddings
    )
    assert measure_probe(one, IS_BASE) is None


def test_fitted_to_other_images_it_is_measured_on_all_of_these():
    """The ids of the two sets mean nothing to each other, and may be the same."""
    fitted, measured = objects(0.1), objects(0.1, images=5)
    found = measure_probe(measured, IS_BASE, to_fit=fitted)
    assert (found.fitted, found.everything.count, found.everything.share) == (240, 20, 1)
    turned = TrueObjects(fitted.image_ids, fitted.boxes, (fitted.labels + 1) % 3, fitted.embeddings)
    assert measure_probe(measured, IS_BASE, to_fit=turned).everything.share == 0
    assert measure_probe(fitted, IS_BASE, to_fit=objects(0.1, images=9)) is None
