"""Zero-shot accuracy by hand: four names in a plane, the last two novel."""

import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.evaluation.teacher.zero_shot import ZeroShotCounter

NAMES = ("ant", "bee", "cat", "dog")
IS_BASE = torch.tensor([True, True, False, False])
TEXTS = torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
# what each object is, and what it is seen as
LABELS = torch.tensor([0, 0, 1, 2, 2, 3])
SEEN = torch.tensor([[1, 0.1], [0.1, 1], [0.1, 1], [-1, 0.1], [0.9, -0.5], [0.2, -1]])


@pytest.fixture
def found():
    counter = ZeroShotCounter(3 * TEXTS, IS_BASE)  # of any length
    embeddings = normalize(SEEN, dim=1)
    counter.add(embeddings[:4], LABELS[:4])
    counter.add(embeddings[4:4], LABELS[4:4])
    counter.add(embeddings[4:], LABELS[4:])
    return counter.result(NAMES)


def test_shares(found):
    """Right: ant, not the ant seen as bee, bee, cat, not the cat seen as ant, dog."""
    shares = {
        name: (group.top1.count, group.top1.share)
        for name, group in (
            ("everything", found.everything),
            ("base", found.base),
            ("novel", found.novel),
        )
    }
    assert shares == {
        "everything": (6, pytest.approx(4 / 6)),
        "base": (3, pytest.approx(2 / 3)),
        "novel": (3, pytest.approx(2 / 3)),
    }
    assert found.everything.top5.share == 1  # of four names
    # ant 1/2, bee 1, cat 1/2, dog 1
    assert found.everything.class_mean == pytest.approx(0.75)


def test_among_novel_names_alone(found):
    """The cat that is seen as an ant is nearer to dog (cosine 0.5) than to cat."""
    assert found.novel_alone.top1.share == pytest.approx(2 / 3)
    counter = ZeroShotCounter(TEXTS, IS_BASE)
    counter.add(normalize(torch.tensor([[-0.5, 0.9]]), dim=1), torch.tensor([2]))
    alone = counter.result(NAMES)
    assert (alone.novel.top1.share, alone.novel_alone.top1.share) == (0, 1)
    assert alone.base.top1.share is None and alone.base.class_mean is None


def test_classes_and_confusions(found):
    rows = [(own.name, own.group, own.objects, own.top1) for own in found.classes]
    assert rows == [
        ("ant", "base", 2, 0.5),
        ("bee", "base", 1, 1.0),
        ("cat", "novel", 2, 0.5),
        ("dog", "novel", 1, 1.0),
    ]
    pairs = [(own.name, own.named, own.objects, own.share) for own in found.confusions]
    assert pairs == [("ant", "bee", 1, 0.5), ("cat", "ant", 1, 0.5)]


def test_without_novel_names():
    counter = ZeroShotCounter(TEXTS, torch.ones(4, dtype=torch.bool))
    counter.add(normalize(SEEN, dim=1), LABELS)
    found = counter.result(NAMES)
    assert found.novel.top1.count == found.novel_alone.top1.count == 0
    assert found.base == found.everything


def test_top_5_of_many_names():
    texts = normalize(torch.stack([torch.ones(9), torch.arange(9.0)], dim=1), dim=1)
    counter = ZeroShotCounter(texts, torch.arange(9) < 5)
    counter.add(torch.tensor([[1.0, 0.0]]).repeat(2, 1), torch.tensor([4, 5]))  # ranks 4 and 5
    found = counter.result([str(i) for i in range(9)])
    assert (found.base.top1.share, found.base.top5.share) == (0, 1)
    assert (found.novel.top5.share, found.novel_alone.top1.share) == (0, 1)
