"""Random small evaluations: everything in which evaluators have differed, in a few objects.

Images are 128 pixels wide, so that areas lie on both sides of LVIS's and COCO's bounds (32^2, 96^2)
and, being products of whole numbers, often on them. Scores have one decimal, boxes whole pixels: so
scores tie, and so do IoUs. Some images have no object, some no detection, some classes neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from ovdistill.evaluation.records import Records, concatenate

SIDE = 128  # pixels
BOUNDS = (32, 96)  # pixels, sides of objects on the bounds of the area ranges
CROWDS = 0.15  # share of the objects
EMPTY = 0.02  # share of the boxes and masks that have no area


@dataclass(frozen=True)
class Case:
    """An evaluation.

    Attributes:
        protocol: 'coco' or 'lvis'.
        metric: 'bbox' or 'segm'.
        max_dets: as ``build_evaluator`` takes it.
        truth: the ground truth in COCO's or LVIS's format, as ``Annotations.to_coco`` gives it.
        records: the detections, of any order.
    """

    protocol: str
    metric: str
    max_dets: int
    truth: dict[str, Any]
    records: Records

    @property
    def image_ids(self) -> list[int]:
        """Ids of all images."""
        return [image["id"] for image in self.truth["images"]]

    @property
    def cat_ids(self) -> list[int]:
        """Ids of all classes, ascending."""
        return [category["id"] for category in self.truth["categories"]]


def random_case(seed: int) -> Case:
    """Return the case of a number, the same on every machine."""
    rng = Random(seed)
    protocol, metric = rng.choice(("coco", "lvis")), rng.choice(("bbox", "segm"))
    cat_ids = sorted(rng.sample(range(1, 20), rng.randint(1, 4)))
    image_ids = rng.sample(range(1, 100), rng.randint(1, 4))
    annotations, shapes = [], []
    for image_id in image_ids:
        for _ in range(rng.choice((0, 1, 2, 3, 6))):
            shape = random_shape(rng)
            shapes.append((image_id, rng.choice(cat_ids), shape))
            annotations.append(annotation(rng, len(annotations) + 1, *shapes[-1], protocol))
    truth = {
        "info": {},
        "licenses": [],
        "images": [image(rng, image_id, cat_ids) for image_id in image_ids],
        "annotations": annotations,
        "categories": [{"id": k, "name": f"c{k}", "frequency": rng.choice("rcf")} for k in cat_ids],
    }
    records = detections(rng, image_ids, cat_ids, shapes, with_masks=metric == "segm")
    return Case(protocol, metric, rng.choice((1, 3, 10, 300)), truth, records)


def random_shape(rng: Random) -> tuple[int, int, int, int]:
    """Return x, y, width and height in whole pixels, inside the image."""
    w, h = (rng.choice((rng.randint(1, SIDE), rng.randint(4, 40), *BOUNDS)) for _ in range(2))
    return rng.randint(0, SIDE - w), rng.randint(0, SIDE - h), w, h


def image(rng: Random, image_id: int, cat_ids: list[int]) -> dict[str, Any]:
    """Return an image's record, with LVIS's lists of absent and not exhaustively labelled classes.

    The lists may contradict the objects, as they do in some of LVIS's images.
    """
    return {
        "id": image_id,
        "file_name": f"{image_id}.png",
        "height": SIDE,
        "width": SIDE,
        "neg_category_ids": [k for k in cat_ids if rng.random() < 0.4],
        "not_exhaustive_category_ids": [k for k in cat_ids if rng.random() < 0.3],
    }


def annotation(
    rng: Random,
    number: int,
    image_id: int,
    category_id: int,
    shape: tuple[int, int, int, int],
    protocol: str,
) -> dict[str, Any]:
    """Return an object's record; LVIS has no crowds."""
    x, y, w, h = shape
    crowd = protocol == "coco" and rng.random() < CROWDS
    rle = rle_of(rng, shape)
    # above 0, as ``read_annotations`` has it: lvis-api loses objects of area 0
    area = float(coco_mask.area(rle)) if rng.random() < 0.5 else 0.0
    return {
        "id": number,
        "image_id": image_id,
        "category_id": category_id,
        "bbox": [x, y, w, h],
        "area": area or float(w * h),
        "iscrowd": int(crowd),
        "segmentation": {"size": [SIDE, SIDE], "counts": rle["counts"].decode()},
    }


def detections(
    rng: Random,
    image_ids: list[int],
    cat_ids: list[int],
    shapes: list[tuple[int, int, tuple[int, int, int, int]]],
    *,
    with_masks: bool,
) -> Records:
    """Return detections: shifted objects, some of them of another class or twice, and clutter."""
    rows = []
    for image_id, category_id, shape in shapes:
        for _ in range(rng.choice((0, 1, 1, 2))):
            name = category_id if rng.random() < 0.8 else rng.choice(cat_ids)
            rows.append((image_id, name, shifted(rng, shape)))
    for _ in range(rng.choice((0, 2, 8, 16))):
        rows.append((rng.choice(image_ids), rng.choice(cat_ids), random_shape(rng)))
    rng.shuffle(rows)
    n = len(rows)
    return Records(
        image_ids=np.array([row[0] for row in rows], dtype=np.int64),
        category_ids=np.array([row[1] for row in rows], dtype=np.int64),
        scores=np.array([rng.randint(0, 10) / 10 for _ in rows]),
        boxes=np.array([row[2] for row in rows], dtype=np.float64).reshape(n, 4),
        rles=[rle_of(rng, row[2]) for row in rows] if with_masks else None,
    )


def shifted(rng: Random, shape: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Return a shape nearby, or the same one; some have lost their width."""
    x, y, w, h = shape
    step = rng.choice((0, 1, 3, 10))
    x, y = (start + rng.randint(-step, step) for start in (x, y))
    x, y = min(max(x, 0), SIDE - w), min(max(y, 0), SIDE - h)
    return x, y, 0 if rng.random() < EMPTY else w, h


def rle_of(rng: Random, shape: tuple[int, int, int, int]) -> dict[str, Any]:
    """Return the mask of a shape: all of it, its left or its upper half, or nothing."""
    x, y, w, h = shape
    w, h = rng.choice(((w, h), (w, h), ((w + 1) // 2, h), (w, (h + 1) // 2)))
    if rng.random() < EMPTY:
        w = 0
    mask = np.zeros((SIDE, SIDE), dtype=np.uint8, order="F")
    mask[y : y + h, x : x + w] = 1
    return coco_mask.encode(mask)


def large_case(images: int, classes: int, objects: int, found: int) -> Case:
    """Return boxes in the LVIS protocol, of the size of a real evaluation.

    Args:
        images: number of images, all of 640 pixels.
        classes: number of classes.
        objects: number of objects in an image.
        found: number of detections in an image.
    """
    rng = np.random.default_rng(0)
    side = 640

    def boxes(n: int) -> np.ndarray:
        sizes = rng.uniform(4, 300, (n, 2))
        return np.concatenate([rng.uniform(0, side - sizes), sizes], axis=1).round(1)

    truth: dict[str, Any] = {"info": {}, "licenses": [], "images": [], "annotations": []}
    truth["categories"] = [
        {"id": k, "name": f"c{k}", "frequency": "rcf"[k % 3]} for k in range(1, classes + 1)
    ]
    parts = []
    for image_id in range(1, images + 1):
        own, names = boxes(objects), rng.integers(1, classes + 1, objects)
        absent = rng.integers(1, classes + 1, 10)
        lists = {"neg_category_ids": absent.tolist(), "not_exhaustive_category_ids": []}
        size = {"height": side, "width": side, "file_name": f"{image_id}.jpg"}
        truth["images"].append({"id": image_id, **size, **lists})
        for box, name in zip(own.tolist(), names.tolist(), strict=True):
            record = {"image_id": image_id, "category_id": name, "bbox": box, "iscrowd": 0}
            number = len(truth["annotations"]) + 1
            truth["annotations"].append({"id": number, "area": box[2] * box[3], **record})
        moved = own + rng.normal(0, 4, own.shape)
        moved[:, 2:] = moved[:, 2:].clip(1)
        rest = found - objects
        parts.append(
            Records(
                image_ids=np.full(found, image_id),
                category_ids=np.concatenate([names, rng.integers(1, classes + 1, rest)]),
                scores=rng.uniform(0, 1, found),
                boxes=np.concatenate([moved, boxes(rest)]),
            )
        )
    return Case("lvis", "bbox", 300, truth, concatenate(parts, with_masks=False))
