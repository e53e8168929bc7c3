"""The ceilings by hand: an object of a base class in one image, of a novel class in another."""

import json

import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.datasets.annotations import read_annotations
from ovdistill.evaluation.teacher.ceiling import (
    Ceiling,
    Judge,
    ceiling_alone,
    ceiling_base_known,
    ceiling_of_regions,
)
from ovdistill.evaluation.teacher.objects import TrueObjects
from ovdistill.store import Regions

TEXTS, IS_BASE = torch.eye(3)[:2], torch.tensor([True, False])
BOXES = torch.tensor([[0.0, 0, 20, 20], [10, 10, 40, 30]])
LIKE_CAT, LIKE_EMU = [0.8, 0.6, 0.0], [0.6, 0.8, 0.0]


@pytest.fixture
def found(tmp_path):
    content = dict(
        images=[dict(id=i, file_name=f"{i}.png", height=64, width=64) for i in (1, 2)],
        annotations=[
            dict(id=1, image_id=1, category_id=7, bbox=[0, 0, 20, 20], area=400, iscrowd=0),
            dict(id=2, image_id=2, category_id=5, bbox=[10, 10, 30, 20], area=600, iscrowd=0),
        ],
        categories=[dict(id=5, name="emu"), dict(id=7, name="cat")],
    )
    (tmp_path / "ann.json").write_text(json.dumps(content))
    return read_annotations(tmp_path / "ann.json")


@pytest.fixture
def judge(found):
    return Judge(found, [7, 5], IS_BASE, "coco", [1, 2])


def objects(*embeddings: list[float]) -> TrueObjects:
    return TrueObjects(
        torch.tensor([1, 2]), BOXES.double(), torch.tensor([0, 1]), torch.tensor(embeddings)
    )


def values(found: Ceiling) -> list[float]:
    return [found.ap_base, found.ap_novel, found.ap50_base, found.ap50_novel]


def test_a_teacher_that_is_right(judge):
    found = ceiling_alone(objects(LIKE_CAT, LIKE_EMU), TEXTS, 0.1, judge)
    assert values(found) == pytest.approx([100] * 4)


def test_a_teacher_that_takes_one_for_the_other(judge):
    """The wrong box is first for either name, the right one second: precision 1/2 everywhere."""
    wrong = objects(LIKE_EMU, LIKE_CAT)
    assert values(ceiling_alone(wrong, TEXTS, 0.1, judge)) == pytest.approx([50] * 4)
    # labels teach which object is no cat, and it has one name left
    known = ceiling_base_known(wrong, TEXTS, IS_BASE, 0.1, judge)
    assert values(known) == pytest.approx([100] * 4)


def test_names_that_are_too_unlikely_are_no_detections(judge):
    """At this temperature the right name has a score of e^-20, below the least."""
    found = ceiling_alone(objects(LIKE_EMU, LIKE_CAT), TEXTS, 0.01, judge)
    assert found == Ceiling(0, 0, 0, 0)


def test_a_name_that_the_file_lacks_competes(found):
    """Both objects look most like an ox, which is no category of the file."""
    judge = Judge(found, [7, 5, None], torch.tensor([True, False, False]), "coco", [1, 2])
    like_ox = objects([0.6, 0.0, 0.8], [0.0, 0.6, 0.8])
    texts = torch.eye(3)
    assert ceiling_alone(like_ox, texts, 0.1, judge).ap50_novel == pytest.approx(100)
    assert ceiling_alone(like_ox, texts, 0.01, judge).ap50_novel == 0


def test_without_novel_names(found):
    judge = Judge(found, [7, 5], torch.tensor([True, True]), "coco", [1, 2])
    every = torch.tensor([True, True])
    found = ceiling_base_known(objects(LIKE_CAT, LIKE_EMU), TEXTS, every, 0.1, judge)
    assert found.ap50_base == pytest.approx(100)
    assert found.ap50_novel is found.ap_novel is None


def regions(boxes: list[list[float]], scores: list[float], seen: list[list[float]]) -> Regions:
    embeddings = normalize(torch.tensor(seen).float(), dim=1).half()
    return Regions(torch.tensor(boxes), torch.tensor(scores), embeddings)


def test_regions_of_a_store(judge):
    """In image 2 the box fits with an IoU of 0.5: right at 0.5, wrong from 0.55 on."""
    images = {
        1: regions([[0, 0, 20, 20], [1, 1, 20, 20]], [0.9, 0.8], [[1, 0, 0], [1, 0, 0]]),
        2: regions([[10, 10, 25, 30]], [0.9], [[0, 1, 0]]),
    }
    found = ceiling_of_regions(images.items(), TEXTS, 0.1, judge)
    assert found.ap50_base == found.ap50_novel == pytest.approx(100)
    assert found.ap_base == pytest.approx(100)  # the second box of the cat is gone
    assert found.ap_novel == pytest.approx(10)


def test_objectness_orders_regions(judge):
    """A region on nothing, of the same look: it is first or second by its objectness alone."""
    nothing = [40.0, 40, 60, 60]
    for objectness, expected in ((0.5, 100), (0.95, 50)):
        images = {
            1: regions([nothing], [objectness], [[0, 1, 0]]),
            2: regions([[10, 10, 40, 30]], [0.9], [[0, 1, 0]]),
        }
        found = ceiling_of_regions(images.items(), TEXTS, 0.1, judge)
        assert found.ap50_novel == pytest.approx(expected)


def test_the_best_detections_of_an_image_count(found):
    judge = Judge(found, [7, 5], IS_BASE, "lvis", [1])
    assert judge.per_image == 300
    scores = torch.linspace(1, 0.5, 400)[:, None].repeat(1, 2)
    records = judge.records(1, torch.rand(400, 4), scores)
    assert len(records) == 300 and records.scores.min() == pytest.approx(float(scores[149, 0]))
    assert {*records.category_ids.tolist()} == {5, 7}
