"""Drawings of examples: what is around the object, from images of any size."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ovdistill.core.images import write_image
from ovdistill.evaluation.analysis.analyse import analyse_run
from ovdistill.evaluation.analysis.run_files import read_run
from ovdistill.inference.example_images import SIDE, draw_gallery
from tests.evaluation.analysis.worlds import write_files

SMALL, LARGE = [10.0, 10, 30, 30], [5.0, 5, 95, 95]


@pytest.fixture
def run(tmp_path) -> Path:
    objects = [(0, "yak", SMALL), (1, "yak", LARGE), (2, "yak", SMALL)]
    detections = [(0, "yak", SMALL, 0.9), (1, "cat", LARGE, 0.8)]
    folder = write_files(tmp_path, objects, detections)
    for image in (0, 1):
        write_image(folder / f"images/{image}.png", np.full((100, 100, 3), 90, np.uint8))
    return folder


def test_truth_stands_beside_what_was_found(run):
    gallery = draw_gallery(analyse_run(read_run(run), ""), run / "images", 3)
    assert {kind: [one.caption for one in found] for kind, found in gallery.items()} == {
        "novel_as_base": ["yak, called cat 0.80"],
        "base_as_novel": [],
        "background": [],
        "missed": ["yak, missed"],
        "hits": ["yak 0.90"],
    }
    (missed,), (hit,) = gallery["missed"], gallery["hits"]
    assert missed.webp is None and missed.source.endswith("2.png")  # the image is not there
    assert hit.webp is not None
    drawing = Image.open(io.BytesIO(hit.webp))
    assert drawing.format == "WEBP" and 2 * SIDE < drawing.width < 3 * SIDE
    halves = np.asarray(drawing)[:, : drawing.width // 2], np.asarray(drawing)[:, -SIDE:]
    assert all(half.std() > 10 for half in halves)  # something is drawn in both


def test_large_photos_with_masks_are_reduced(run):
    content = json.loads((run / "annotations.json").read_text())
    for image in content["images"]:
        image["width"] = image["height"] = 1000
    for one in content["annotations"]:
        x, y, w, h = one["bbox"] = [10 * value for value in one["bbox"]]
        one |= {"area": w * h, "segmentation": [[x, y, x + w, y, x + w, y + h]]}
    (run / "annotations.json").write_text(json.dumps(content))
    rows = json.loads((run / "detections.bbox.json").read_text())
    for row in rows:
        row["bbox"] = [10 * value for value in row["bbox"]]
    (run / "detections.bbox.json").write_text(json.dumps(rows))
    write_image(run / "images/1.png", np.full((1000, 1000, 3), 90, np.uint8))
    gallery = draw_gallery(analyse_run(read_run(run), ""), run / "images", 3)
    (example,) = gallery["novel_as_base"]
    assert example.webp is not None
    assert Image.open(io.BytesIO(example.webp)).width < 3 * SIDE
