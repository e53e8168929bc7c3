"""Files of detections: what is taken, what is refused, what is left out and said."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.core.masks import encode_masks, rle_to_json
from ovdistill.datasets.annotations import Annotations, read_annotations
from ovdistill.evaluation.evaluate import Protocol
from ovdistill.evaluation.records import Records, best_of_images
from ovdistill.evaluation.results import read_file, read_results, unused
from ovdistill.evaluation.results_reader import ResultsReader

BOX = [10.0, 10.0, 20.0, 20.0]
GOOD = {"image_id": 1, "category_id": 1, "bbox": BOX, "score": 0.5}


def rle(width: int = 60, height: int = 40) -> dict[str, Any]:
    mask = np.zeros((1, height, width), bool)
    mask[:, 10:30, 10:30] = True
    return rle_to_json(encode_masks(mask)[0])


def truth_of(folder: Path, image_ids: tuple = (1, 2), names: tuple = ("cup", "fire_truck")):
    images = [dict(id=i, width=60, height=40, file_name=f"{i}.png") for i in image_ids]
    categories = [dict(id=n, name=name) for n, name in enumerate(names, 1)]
    objects = [dict(id=1, image_id=image_ids[0], category_id=1, bbox=BOX, area=400, iscrowd=0)]
    objects[0]["segmentation"] = rle()
    path = folder / "truth.json"
    path.write_text(json.dumps(dict(images=images, annotations=objects, categories=categories)))
    return read_annotations(path)


@pytest.fixture
def truth(tmp_path: Path) -> Annotations:
    return truth_of(tmp_path)


def kind_of(record: Any, truth: Annotations, *, first: dict[str, Any] = GOOD) -> str | None:
    """What is counted of a record that follows a good one."""
    reader = ResultsReader(Path("r.json"), truth)
    reader.read(first)
    assert not reader.report.counts
    reader.read(record)
    return next(iter(reader.report.counts), None)


NAN, INFINITE = float("nan"), float("inf")
BAD = [
    ("form", 5),
    ("form", None),
    ("score", {key: GOOD[key] for key in ("image_id", "category_id", "bbox")}),
    ("score", GOOD | {"score": NAN}),
    ("score", GOOD | {"score": None}),
    ("score", GOOD | {"score": 10**400}),
    ("fields", {key: GOOD[key] for key in ("image_id", "category_id", "score")}),
    ("fields", GOOD | {"bbox": []}),
    ("bbox", GOOD | {"bbox": [1, 2, 3]}),
    ("bbox", GOOD | {"bbox": [1, 2, NAN, 4]}),
    ("bbox", GOOD | {"bbox": [1, 2, 3, INFINITE]}),
    ("bbox", GOOD | {"bbox": [1, 2, 3, 10**400]}),
    ("bbox", GOOD | {"bbox": {"x": 1}}),
    ("bbox_size", GOOD | {"bbox": [9, 9, -1, 5]}),
    ("image_id", GOOD | {"image_id": 3}),
    ("image_id", GOOD | {"image_id": None}),
    ("image_id", GOOD | {"image_id": [1]}),
    ("category_id", GOOD | {"category_id": 0}),
    ("category_id", GOOD | {"category_id": True}),
    ("category_id", GOOD | {"category_id": "saucer"}),
    ("category_id", GOOD | {"category_id": {}}),
    ("outside", GOOD | {"bbox": [50, 10, 20, 5]}),
    ("no_area", GOOD | {"bbox": [5, 5, 0, 5]}),
    (None, GOOD | {"score": -3, "bbox": ["10", "10", "20", "20"]}),
]


@pytest.mark.parametrize(("kind", "record"), BAD, ids=range(len(BAD)))
def test_every_problem_has_its_kind(kind, record, truth):
    assert kind_of(record, truth) == kind


MASKS = [
    (None, rle()),
    (None, [[10, 10, 30, 10, 30, 30, 10, 30]]),
    (None, dict(size=[40, 60], counts=[0, 40 * 60])),
    ("mask", rle(40, 60)),
    ("mask", rle(600, 400)),
    ("mask", dict(size=[40, 60], counts="???")),
    ("mask", dict(size=[40, 60], counts=[1])),
    ("mask", [[1, 2]]),
    ("mask", "polygon"),
    ("fields", None),
]


@pytest.mark.parametrize(("kind", "mask"), MASKS, ids=range(len(MASKS)))
def test_masks_must_be_those_of_their_image(kind, mask, truth):
    first = {key: GOOD[key] for key in ("image_id", "category_id", "score")}
    first["segmentation"] = rle()
    assert kind_of(first | {"segmentation": mask}, truth, first=first) == kind


def write(folder: Path, rows: Any, name: str = "r.json") -> Path:
    path = folder / name
    path.write_text(rows if isinstance(rows, str) else json.dumps(rows))
    return path


@pytest.mark.parametrize("record", [r for kind, r in BAD if kind in ("score", "bbox_size")])
def test_a_file_with_such_a_detection_is_refused(record, truth, tmp_path):
    with pytest.raises(UserError, match=r"r\.json"):
        read_file(write(tmp_path, [GOOD, record]), truth)


CONTENTS = ["", "{", '{"annotations": []}', "5", "[1, 2", '[{"a": 1},]', "\xff", "[] []", "[[[[["]


@pytest.mark.parametrize("content", CONTENTS, ids=range(len(CONTENTS)))
def test_any_other_content_is_an_error(content, truth, tmp_path):
    path = tmp_path / "r.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(UserError, match=r"r\.json"):
        read_file(path, truth)
    with pytest.raises(UserError, match=r"none\.json"):
        read_file(tmp_path / "none.json", truth)


def test_detections_of_other_images_and_categories_are_left_out_and_said(truth, tmp_path, caplog):
    rows = [GOOD, GOOD | {"image_id": 9}, GOOD | {"category_id": 9}, GOOD | {"image_id": 8}]
    records, fields = read_file(write(tmp_path, rows), truth)
    assert len(records) == 1 and fields == (True, False)
    assert "2 detections are of images" in caplog.text
    assert "1 detections are of categories" in caplog.text and "category_id 9" in caplog.text


def test_a_file_about_other_images_alone_is_an_error(truth, tmp_path):
    with pytest.raises(UserError, match="image_id 7"):
        read_file(write(tmp_path, [GOOD | {"image_id": 7}] * 3), truth)


def test_boxes_in_parts_of_the_image_are_an_error(truth, tmp_path):
    rows = [GOOD | {"bbox": [0.1, 0.2, 0.5, 0.5]}] * 10
    with pytest.raises(UserError, match="pixels"):
        read_file(write(tmp_path, rows), truth)


def test_ids_in_every_spelling_and_names(tmp_path):
    truth = truth_of(tmp_path, image_ids=("site_1", "000000000139"))
    rows = [
        GOOD | {"image_id": "site_1", "category_id": "1"},
        GOOD | {"image_id": 139, "category_id": 2.0},
        GOOD | {"image_id": "139", "category_id": "fire truck"},
        GOOD | {"image_id": 139, "category_id": "fire_truck"},
    ]
    records, _ = read_file(write(tmp_path, rows), truth)
    assert records.category_ids.tolist() == [1, 2, 2, 2]
    given = [truth.original_image_ids[number] for number in records.image_ids.tolist()]
    assert given == ["site_1", *["000000000139"] * 3]


def test_which_file_gives_boxes_and_which_masks(truth, tmp_path):
    mask = {key: GOOD[key] for key in ("image_id", "category_id", "score")} | dict(
        segmentation=rle()
    )
    boxes = write(tmp_path, [GOOD] * 3, "b.json")
    masks = write(tmp_path, [mask] * 2, "m.json")
    both = write(tmp_path, [GOOD | mask], "both.json")
    empty = write(tmp_path, [], "e.json")
    empty_masks = write(tmp_path, [], "e.segm.json")

    def counts(*paths: Path) -> dict[str, int]:
        return {metric: len(found) for metric, found in read_results(paths, truth).items()}

    assert counts(boxes) == {"bbox": 3}
    assert counts(masks) == {"segm": 2}
    assert counts(masks, boxes) == {"bbox": 3, "segm": 2}
    assert counts(both) == {"bbox": 1, "segm": 1}
    assert counts(both, boxes) == {"bbox": 3, "segm": 1}  # as mmdet writes two files
    assert counts(empty) == {"bbox": 0}
    assert counts(empty, empty_masks) == {"bbox": 0, "segm": 0}
    for paths in ((boxes, empty), (masks, both)):
        with pytest.raises(UserError, match=paths[1].name):
            counts(*paths)


def test_what_does_not_count_is_said():
    n = 7
    records = Records(
        image_ids=np.array([1, 1, 1, 1, 2, 2, 2]),
        category_ids=np.array([1, 1, 1, 2, 1, 1, 5]),
        scores=np.zeros(n),
        boxes=np.ones((n, 4)),
    )
    lines = list(unused(records, [1, 2], [1, 2, 3], Protocol("lvis", max_dets=3)))
    assert [line[:12] for line in lines] == ["1 of 7 detec", "nothing was ", "1 images hav"]
    assert "1 of the 3 images" in lines[1] and "up to 4" in lines[2]
    coco = list(unused(records, [1, 2, 5], [1, 2], Protocol("coco", max_dets=2)))
    assert len(coco) == 1 and "1 pairs" in coco[0] and "up to 3" in coco[0]
    assert not list(unused(records, [1, 2, 5], [1, 2], Protocol("lvis")))


def test_an_empty_list_is_said(truth, tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    records, _ = read_file(write(tmp_path, []), truth)
    assert len(records) == 0 and "no detection" in caplog.text


def test_the_best_of_an_image_keep_their_order():
    records = Records(
        image_ids=np.array([5, 3, 5, 5, 3]),
        category_ids=np.arange(5),
        scores=np.array([0.2, 0.1, 0.9, 0.2, 0.3]),
        boxes=np.zeros((5, 4)),
    )
    assert best_of_images(records, 2).category_ids.tolist() == [0, 1, 2, 4]  # the first 0.2
    assert best_of_images(records, 1).category_ids.tolist() == [2, 4]
