"""A detector that is always right has AP 100 on whatever annotation tools write."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask

import ovdistill.models.register  # noqa: F401
from ovdistill.core.teacher_id import TeacherId
from ovdistill.datasets.ov_dataset import OVDataset
from ovdistill.evaluation.ov_metric import OVMetric
from ovdistill.vocabulary import Vocabulary

WIDTH, HEIGHT = 80, 60
NAMES = ("cup", "boat")
OBJECTS = {  # file name: (name, x, y, width, height)
    "a.png": [("cup", 5, 5, 20, 30), ("boat", 40, 10, 30, 40)],
    "b.png": [("boat", 10, 8, 24, 24)],
    "c.png": [("cup", 0, 0, 40, 40), ("cup", 44, 4, 30, 50), ("boat", 1, 45, 30, 14)],
}


def content() -> dict:
    """The objects in COCO's format; LVIS's fields are there too."""
    data: dict = dict(images=[], annotations=[], categories=[])
    for number, name in enumerate(NAMES, 1):
        data["categories"].append(dict(id=number, name=name, frequency="c"))
    for image_id, (file_name, objects) in enumerate(OBJECTS.items(), 1):
        size = dict(width=WIDTH, height=HEIGHT)
        lists = dict(neg_category_ids=[1], not_exhaustive_category_ids=[])
        data["images"].append(dict(id=image_id, file_name=file_name, **size, **lists))
        for name, x, y, w, h in objects:
            outline = [x, y, x + w, y, x + w, y + h, x, y + h]
            label = dict(category_id=1 + NAMES.index(name), area=w * h, iscrowd=0)
            record = dict(image_id=image_id, bbox=[x, y, w, h], segmentation=[outline], **label)
            data["annotations"].append(dict(id=1 + len(data["annotations"]), **record))
    return data


def each(section: str, change: Callable[[dict, int], object]) -> Callable[[dict], None]:
    """Change every record of a section, given its number."""

    def apply(data: dict) -> None:
        for number, record in enumerate(data[section]):
            change(record, number)

    return apply


def without(section: str, key: str) -> Callable[[dict], None]:
    return each(section, lambda record, _: record.pop(key))


def setting(section: str, **values: object) -> Callable[[dict], None]:
    return each(section, lambda record, _: record.update(values))


def renamed(kind: str, new: Callable[[int], object]) -> Callable[[dict], None]:
    """Give images or categories other ids."""

    def apply(data: dict) -> None:
        for record in data["images" if kind == "image" else "categories"]:
            record["id"] = new(record["id"])
        for record in data["annotations"]:
            record[f"{kind}_id"] = new(record[f"{kind}_id"])
        for record in data["images"] if kind == "category" else []:
            record["neg_category_ids"] = [new(i) for i in record["neg_category_ids"]]

    return apply


def adding(**changes: object) -> Callable[[dict], None]:
    """Add an annotation that cannot be used, in front."""

    def apply(data: dict) -> None:
        data["annotations"].insert(0, data["annotations"][0] | changes)

    return apply


def rle(*, text: bool, swapped: bool = False) -> Callable[[dict], None]:
    def change(record: dict, _: int) -> None:
        found = coco_mask.frPyObjects(record["segmentation"], HEIGHT, WIDTH)[0]
        if text:
            counts: object = found["counts"].decode()
        else:
            pixels = coco_mask.decode(found).flatten(order="F")
            edges = np.flatnonzero(np.diff(pixels, prepend=0, append=1 - pixels[-1]))
            counts = np.diff(edges, prepend=0).tolist()
        size = [WIDTH, HEIGHT] if swapped else [HEIGHT, WIDTH]
        record["segmentation"] = dict(size=size, counts=counts)

    return each("annotations", change)


def first_mask(value: object) -> Callable[[dict], None]:
    return lambda data: data["annotations"][1].update(segmentation=value)


def root_category(data: dict) -> None:
    for record in data["categories"]:
        record["supercategory"] = "things"
    data["categories"].append(dict(id=0, name="things", supercategory="none", frequency="c"))


def cvat(data: dict) -> None:
    data.update(licenses=[dict(name="", id=0, url="")], info=dict(year="", version=""))
    setting("images", license=0, flickr_url="", coco_url="", date_captured=0)(data)
    setting("annotations", attributes=dict(occluded=math.nan))(data)


def roboflow(data: dict) -> None:
    data.update(info=dict(year="2024", version=3), licenses=[dict(id="1"), "CC", None])
    setting("images", license="", date_captured="2024", extra=dict(name="x"))(data)


def label_studio(data: dict) -> None:
    data.update(info=None, licenses="none")
    setting("annotations", ignore=0, iscrowd=0, area=math.nan)(data)
    setting("categories", color=None, keypoints=5, supercategory=7)(data)


KINDS: dict[str, Callable[[dict], None]] = {
    "annotation ids from 0": each("annotations", lambda r, n: r.update(id=n)),
    "annotation ids repeated": each("annotations", lambda r, n: r.update(id=n % 2)),
    "annotation ids missing": without("annotations", "id"),
    "annotation ids text": each("annotations", lambda r, n: r.update(id=f"uuid-{n}")),
    "annotation ids large": each("annotations", lambda r, n: r.update(id=2**53 + n)),
    "annotation ids odd": each("annotations", lambda r, n: r.update(id=[None, [], {}, -1][n % 4])),
    "image ids from 0": renamed("image", lambda i: i - 1),
    "image ids text": renamed("image", lambda i: f"site_{i}"),
    "image ids digits": renamed("image", lambda i: f"{i:012d}"),
    "image ids floats": renamed("image", float),
    "image ids large": renamed("image", lambda i: 2**53 + i),
    "image ids negative": renamed("image", lambda i: -i),
    "category ids from 0": renamed("category", lambda i: i - 1),
    "category ids text": renamed("category", lambda i: "ab"[i - 1]),
    "category ids large": renamed("category", lambda i: 2**63 + i),
    "area 0": setting("annotations", area=0),
    "area missing": without("annotations", "area"),
    "area text": setting("annotations", area="600"),
    "iscrowd text": setting("annotations", iscrowd="0"),
    "iscrowd false": setting("annotations", iscrowd=False),
    "iscrowd 0.0": setting("annotations", iscrowd=0.0),
    "iscrowd unknown": setting("annotations", iscrowd="no"),
    "iscrowd missing": without("annotations", "iscrowd"),
    "boxes as text": each("annotations", lambda r, _: r.update(bbox=[str(s) for s in r["bbox"]])),
    "sizes as text": setting("images", width="80", height=60.0),
    "flat polygons": each("annotations", lambda r, _: r.update(segmentation=r["segmentation"][0])),
    "RLE": rle(text=False),
    "RLE as text": rle(text=True),
    "a mask of nothing": first_mask([[]]),
    "a mask of two corners": first_mask([[1, 1, 5, 5]]),
    "a mask of NaN": first_mask([[1, 1, 5, 5, math.nan, 1]]),
    "a mask of another size": first_mask(dict(size=[100_000] * 2, counts=[10**10])),
    "a mask of swapped size": first_mask(dict(size=[WIDTH, HEIGHT], counts=[WIDTH * HEIGHT])),
    "a mask of negative runs": first_mask(dict(size=[HEIGHT, WIDTH], counts=[-1, 4801])),
    "a box of NaN": adding(bbox=[math.nan] * 4),
    "a box of no size": adding(bbox=[5, 5, 0, 9]),
    "a box outside": adding(bbox=[500, 5, 9, 9]),
    "a huge box": adding(bbox=[0, 0, 1e308, 1e308]),
    "an unknown image": adding(image_id=99),
    "an unknown category": adding(category_id=99),
    "no object": lambda data: data["annotations"].insert(0, None),
    "CVAT": cvat,
    "Roboflow": roboflow,
    "Label Studio": label_studio,
    "a root category": root_category,
    "an empty category": lambda d: d["categories"].append(dict(id=9, name="emu", frequency="r")),
    "LVIS lists odd": setting("images", neg_category_ids=["1", 77, None]),
}


def samples(dataset: OVDataset) -> list[dict]:
    """The true objects of every image as detections, found by the name of its file."""
    found = []
    for record in dataset.load_data_list():
        objects = OBJECTS[Path(record["img_path"]).name]
        boxes = torch.tensor([[x, y, x + w, y + h] for _, x, y, w, h in objects]).float()
        masks = np.zeros((len(objects), HEIGHT, WIDTH), bool)
        for mask, (_, x, y, w, h) in zip(masks, objects, strict=True):
            mask[y : y + h, x : x + w] = True
        instances = dict(
            bboxes=boxes,
            scores=torch.full((len(objects),), 0.9),
            labels=torch.tensor([NAMES.index(name) for name, *_ in objects]),
            masks=torch.from_numpy(masks),
        )
        shape = (HEIGHT, WIDTH)
        found.append(dict(img_id=record["img_id"], ori_shape=shape, pred_instances=instances))
    return found


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary(NAMES, torch.eye(2), torch.tensor([True, False]), TeacherId("test"))


def figures(path: Path, vocabulary: Vocabulary, **options: str) -> tuple[float, float]:
    choices = dict(labelled="all", test_mode=True, lazy_init=True)
    dataset = OVDataset(vocabulary=vocabulary, ann_file=str(path), pipeline=[], **choices)
    detections = samples(dataset)
    metric = OVMetric(str(path), **options)
    metric.dataset_meta = dataset.metainfo
    metric.process({}, detections)
    found = metric.evaluate(len(OBJECTS))
    return found["bbox/AP"], found["segm/AP"]


EVALUATORS = (("coco", "hotcoco"), ("coco", "reference"), ("lvis", "hotcoco"))


@pytest.mark.parametrize("kind", KINDS)
def test_what_tools_write(kind, tmp_path, vocabulary):
    data = content()
    KINDS[kind](data)
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(data))
    for protocol, backend in EVALUATORS:
        found = figures(path, vocabulary, protocol=protocol, backend=backend)
        assert found == pytest.approx((100, 100)), (protocol, backend)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks(encoding, tmp_path, vocabulary):
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(content()), encoding=encoding)
    assert figures(path, vocabulary, protocol="coco", backend="hotcoco") == (100, 100)


def test_results_have_the_ids_of_the_file(tmp_path, vocabulary):
    data = content()
    renamed("image", lambda i: f"site_{i}")(data)
    renamed("category", lambda i: f"{i:03d}")(data)
    path = tmp_path / "ann.json"
    path.write_text(json.dumps(data))
    figures(path, vocabulary, protocol="coco", outfile_prefix=str(tmp_path / "out"))
    rows = json.loads((tmp_path / "out.segm.json").read_text())
    assert [(row["image_id"], row["category_id"]) for row in rows[:3]] == [
        *(("site_1", "001"), ("site_1", "002"), ("site_2", "002")),
    ]
