"""Which detections are right, wrong, or neither."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ovdistill.core.errors import UserError
from ovdistill.inference.detections import Detections
from ovdistill.inference.judged import judge_detections

OBJECT = dict(id=1, image_id=1, category_id=1, bbox=[0, 0, 10, 10], area=100, iscrowd=0)
CROWD = dict(OBJECT, id=2, bbox=[40, 0, 60, 100], area=6000, iscrowd=1)
FOUND = [  # xyxy, name, score
    ([0, 0, 10, 10], "cat", 0.9),
    ([50, 50, 70, 70], "cat", 0.8),
    ([0, 50, 30, 80], "cat", 0.7),
    ([0, 50, 30, 80], "dog", 0.6),
]


def detector(found: list[Any], shapes: list[tuple[int, ...]] | None = None) -> Any:
    """A detector that finds the same in every image, and notes the shapes of the images."""

    def predict(pixels: np.ndarray, **options: Any) -> Detections:
        if shapes is not None:
            shapes.append(pixels.shape)
        return Detections(
            boxes=np.array([box for box, *_ in found], dtype=np.float32).reshape(-1, 4),
            scores=np.array([score for *_, score in found], dtype=np.float32),
            labels=np.zeros(len(found), dtype=np.int64),
            names=tuple(name for _, name, _ in found),
        )

    return SimpleNamespace(set_vocabulary=lambda names: None, predict=predict)


def write(folder: Path, objects: list[Any], count: int = 1, **lvis: Any) -> Path:
    """Write images of the widths 101, 102, ... and their annotation file."""
    images = [
        dict(id=k, file_name=f"{k}.png", width=100 + k, height=100, **lvis)
        for k in range(1, count + 1)
    ]
    for image in images:
        Image.new("RGB", (image["width"], 100)).save(folder / image["file_name"])
    frequency = dict(frequency="f") if lvis else {}
    categories = [dict(id=k, name=name, **frequency) for k, name in ((1, "cat "), (2, "dog"))]
    content = dict(images=images, annotations=objects, categories=categories)
    (folder / "val.json").write_text(json.dumps(content))
    return folder / "val.json"


@pytest.mark.parametrize(
    ("objects", "lvis", "scores", "right"),
    [
        ([OBJECT], {}, [0.9, 0.8, 0.7, 0.6], [True, False, False, False]),
        ([OBJECT, CROWD], {}, [0.9, 0.7, 0.6], [True, False, False]),
        # nobody looked for dogs
        ([OBJECT], dict(neg=[], part=[]), [0.9, 0.8, 0.7], [True, False, False]),
        # some cats are not labelled, and there is no dog
        ([OBJECT], dict(neg=[2], part=[1]), [0.9, 0.6], [True, False]),
    ],
)
def test_what_counts(tmp_path, objects, lvis, scores, right):
    if lvis:
        lvis = dict(neg_category_ids=lvis["neg"], not_exhaustive_category_ids=lvis["part"])
    path = write(tmp_path, objects, **lvis)
    found = judge_detections(detector(FOUND), path, tmp_path, 1)
    assert found[0] == pytest.approx(scores) and found[1].tolist() == right


def test_images_are_spread_over_the_file(tmp_path):
    path, shapes = write(tmp_path, [OBJECT], count=5), []
    judge_detections(detector(FOUND, shapes), path, tmp_path, 3)
    assert [width for _, width, _ in shapes] == [101, 103, 105]


@pytest.mark.parametrize("found", [[], FOUND[1:2]])
def test_nothing_to_judge(tmp_path, found):
    path = write(tmp_path, [OBJECT, CROWD])
    with pytest.raises(UserError, match="nothing was detected in 1 images"):
        judge_detections(detector(found), path, tmp_path, 1)
