"""Batches of pairs: the same whoever loads them, mixed, labelled, and without bad images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

import ovdistill.ovshapes.teacher.register  # noqa: F401  # a source of whole batches
from ovdistill.core.errors import UserError
from ovdistill.core.images import ImageError
from ovdistill.teacher_training.batch import TrainingBatch
from ovdistill.teacher_training.data.augmentation import Augmentation
from ovdistill.teacher_training.data.pair_batches import PairBatches
from ovdistill.teacher_training.data.registry import build_data
from ovdistill.teacher_training.data.source import BatchPlan, Pair, PairSource
from ovdistill.teacher_training.normalization import Normalization


def tokenize(texts: Sequence[str]) -> torch.Tensor:
    return torch.tensor([[int(text.split()[-1]), 1] for text in texts])


class Numbers(PairSource):
    """Pair i has text 'number i'; some images cannot be used."""

    provides: ClassVar[tuple[str, ...]] = ("images", "texts", "views", "boxes")

    def __init__(self, start: int, count: int, weight=None, classes=(), bad=()) -> None:
        super().__init__(weight)
        self.numbers = range(start, start + count)
        self.class_names, self.bad = classes, bad

    def __len__(self) -> int:
        return len(self.numbers)

    def load(self, index: int, rng: np.random.Generator) -> Pair:
        number = self.numbers[index]
        if number in self.bad:
            raise ImageError(f"image {number}", "it is bad")
        image = np.full((12, 10, 3), number, np.uint8)
        image[:, 5:] += 100
        name = self.class_names[number % len(self.class_names)] if self.class_names else None
        boxes = np.array([[1, 1, 9, 11], [2, 2, 8, 8]], np.float32)
        return Pair(image, f"number {number}", name, boxes, (f"box {number}", "box 0"))


PLAN = BatchPlan(
    batch=4,
    image_size=8,
    normalize=Normalization((0.5,) * 3, (0.5,) * 3),
    interpolation="bilinear",
    tokenize=tokenize,
)
CROPS = Augmentation(area=(0.3, 1.0), flip=0.5)


def first(pairs: PairBatches, count: int, start: int = 0, **plan) -> list[TrainingBatch]:
    return list(islice(pairs.batches(replace(PLAN, **plan), start), count))


def assert_same(found: list[TrainingBatch], expected: list[TrainingBatch]) -> None:
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one.images, other.images) and torch.equal(one.tokens, other.tokens)


def test_workers_and_a_later_start_change_nothing() -> None:
    pairs = PairBatches([Numbers(0, 20)], CROPS)
    alone = first(pairs, 6)
    assert alone[0].images.shape == (4, 3, 8, 8) and alone[0].images.dtype == torch.float32
    assert alone[0].views is None and alone[0].boxes is None
    assert_same(first(pairs, 6, workers=2), alone)
    assert_same(first(pairs, 3, start=3, workers=2), alone[3:])
    assert sorted(n for b in alone[:5] for n in b.tokens[:, 0].tolist()) == list(range(20))
    assert not torch.equal(first(pairs, 1, seed=1)[0].tokens, alone[0].tokens)


def test_processes_share_the_batch_of_one() -> None:
    pairs = PairBatches([Numbers(0, 20), Numbers(40, 20)], CROPS)
    whole = first(pairs, 2, batch=8)
    parts = [first(pairs, 2, rank=rank, ranks=2) for rank in (0, 1)]
    joined = [torch.cat([one.images, other.images]) for one, other in zip(*parts, strict=True)]
    assert all(torch.equal(j, w.images) for j, w in zip(joined, whole, strict=True))


def test_classes_of_one_name_have_one_label() -> None:
    one, other = Numbers(0, 9, classes=("cat", "dog")), Numbers(40, 9, classes=("dog", "ant"))
    pairs = PairBatches([one, other, Numbers(80, 9)], CROPS)
    assert pairs.labels == {"ant": 0, "cat": 1, "dog": 2}
    for batch in first(pairs, 6):
        for number, label in zip(batch.tokens[:, 0].tolist(), batch.labels.tolist(), strict=True):
            names = ("cat", "dog") if number < 40 else ("dog", "ant")
            assert label == (-1 if number >= 80 else pairs.labels[names[number % 2]])


def test_views_and_boxes_where_they_are_needed() -> None:
    needs = frozenset({"images", "views", "boxes"})
    whole = Augmentation(area=(1.0, 1.0), ratio=(10 / 12, 10 / 12))
    (batch,) = first(PairBatches([Numbers(1, 9)], whole), 1, needs=needs)
    boxes = batch.boxes
    assert batch.views.shape == batch.images.shape and len(boxes.boxes) == 8
    assert boxes.image_index.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert boxes.boxes[0].tolist() == pytest.approx([0.8, 8 / 12, 7.2, 88 / 12], rel=1e-5)
    assert len(boxes.phrases) == 5  # four of their own, and one that all share
    named = boxes.phrases[boxes.phrase_index, 0].tolist()
    assert named[::2] == batch.tokens[:, 0].tolist() and named[1::2] == [0] * 4
    (cropped,) = first(PairBatches([Numbers(1, 9)], CROPS), 1, needs=needs)
    assert not torch.equal(cropped.views, cropped.images)


@pytest.mark.parametrize("workers", [0, 2])
def test_bad_images_are_replaced_listed_and_limited(tmp_path: Path, workers: int) -> None:
    pairs = PairBatches([Numbers(0, 8, bad=(3, 6))], CROPS)
    plan = dict(bad_images=str(tmp_path / "bad.txt"), max_bad_images=2, workers=workers)
    batches = first(pairs, 4, **plan)
    drawn = {number for batch in batches for number in batch.tokens[:, 0].tolist()}
    assert all(len(batch.images) == 4 for batch in batches) and drawn == {0, 1, 2, 4, 5, 7}
    listed = (tmp_path / "bad.txt").read_text().splitlines()
    assert sorted(listed) == ["image 3\tit is bad", "image 6\tit is bad"]
    with pytest.raises(UserError, match="image [36].*--max-bad-images"):
        first(pairs, 4, **plan | dict(max_bad_images=0))
    with pytest.raises(UserError, match="2 images could not be used"):
        (tmp_path / "bad.txt").unlink()
        first(pairs, 4, **plan | dict(max_bad_images=1))


def test_two_spellings_of_a_class_are_one() -> None:
    sources = [Numbers(0, 4, classes=["fire_truck"]), Numbers(4, 4, classes=["Fire truck", "cat"])]
    labels = PairBatches(sources, CROPS).labels
    assert labels["fire_truck"] == labels["Fire truck"] != labels["cat"]


def test_what_cannot_be_mixed() -> None:
    with pytest.raises(UserError, match="1 of 2 sources of data have a weight"):
        PairBatches([Numbers(0, 9, weight=1), Numbers(0, 9)], CROPS)
    with pytest.raises(UserError, match="4 pairs has 4 of a Numbers, which has 3"):
        first(PairBatches([Numbers(0, 3)], CROPS), 1)


TABLE = dict(type="PairTable", file="pairs.jsonl")


@pytest.mark.parametrize(
    ("options", "augmentation", "match"),
    [
        (dict(type="PairTabel"), {}, "did you mean PairTable"),
        (dict(type="PairTable", file="x.csv", colum="a"), {}, "colum"),
        ([], {}, "data has 0 sources"),
        ("pairs.csv", {}, "'pairs.csv'; expected dict"),
        (["pairs.csv"], {}, "'pairs.csv'; expected dict"),
        (
            dict(type="OVShapesCrops", images=100),
            dict(flip=0.5),
            "OVShapesCrops makes its batches itself",
        ),
        (TABLE, [1], "augmentation is"),
        (TABLE, dict(area=(0.5,)), "augmentation with"),
        (TABLE, dict(area=("a", "b")), "augmentation with"),
        (TABLE, dict(flipp=1), "flipp"),
    ],
)
def test_bad_options(options, augmentation, match: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs.jsonl").write_text('{"image": "a.png", "text": "a"}')
    with pytest.raises(UserError, match=match):
        build_data(options, augmentation)
