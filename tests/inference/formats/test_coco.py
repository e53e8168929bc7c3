"""COCO's own tools read the same boxes and masks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO

from ovdistill.commands import main
from ovdistill.core.errors import UserError
from ovdistill.inference.formats import write_coco

from .examples import QUERIES, detections, iou, reduced


def xyxy(records: list[dict]) -> np.ndarray:
    boxes = np.array([record["bbox"] for record in records]).reshape(-1, 4)
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


@pytest.mark.parametrize("found", [detections(), reduced()], ids=["whole", "reduced"])
def test_an_annotation_file_holds_the_same_boxes_and_masks(tmp_path: Path, found) -> None:
    nothing = replace(detections(0), path="photos/none.jpg")
    write_coco(tmp_path / "a.json", [nothing, found], image_folder="photos")
    coco = COCO(tmp_path / "a.json")
    assert [image["file_name"] for image in coco.imgs.values()] == ["none.jpg", "a b.jpg"]
    assert [category["name"] for category in coco.cats.values()] == list(QUERIES)
    annotations = coco.loadAnns(coco.getAnnIds(imgIds=[2]))
    np.testing.assert_allclose(xyxy(annotations), found.boxes, atol=0.002)
    for annotation, one in zip(annotations, found, strict=True):
        mask = coco.annToMask(annotation).astype(bool)
        assert mask.shape == found.image_size and iou(mask, one.mask) == 1
        assert annotation["area"] == mask.sum() == one.area
        assert coco.cats[annotation["category_id"]]["name"] == one.name
    assert not coco.getAnnIds(imgIds=[1])


def test_results_are_loaded_by_cocos_tools(tmp_path: Path) -> None:
    found = detections()
    ids = {name: 10 + 5 * number for number, name in enumerate(QUERIES)}
    write_coco(tmp_path / "a.json", [found], ids)
    coco = COCO(tmp_path / "a.json")
    results = json.loads(json.dumps(found.to_coco(1, ids)))
    loaded = coco.loadRes(results)
    assert [result["category_id"] for result in results] == [10, 15, 20, 10]
    for number, mask in enumerate(found.masks, 1):
        np.testing.assert_array_equal(loaded.annToMask(loaded.anns[number]), mask)
    np.testing.assert_allclose([r["score"] for r in results], found.scores, atol=1e-6)
    assert detections(0).to_coco(1) == []
    assert "segmentation" not in detections(masks=False).to_coco(1)[0]


def test_our_own_reader_finds_nothing_wrong(tmp_path: Path) -> None:
    write_coco(tmp_path / "a.json", [detections(), replace(detections(masks=False), path="b.jpg")])
    assert main.run(["check", str(tmp_path / "a.json")]) == 0


def test_what_an_annotation_file_needs(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="path"):
        write_coco(tmp_path / "a.json", [detections(path=None)])
    with pytest.raises(UserError, match="size"):
        write_coco(tmp_path / "a.json", [replace(detections(masks=False), size=None, image=None)])
    with pytest.raises(UserError, match="red star"):
        detections().to_coco(1, {"ring": 1})
    assert not (tmp_path / "a.json").exists()
