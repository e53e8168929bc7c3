"""Small scenes whose errors are known, and their files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ovdistill.evaluation.analysis.scene import Found, Scene, Truth

BASE_NAMES, NOVEL_NAMES = ("cat", "dog"), ("yak", "emu")
Box = tuple[int, str, list[float]]  # image, class name, xyxy
NAMES = (*BASE_NAMES, *NOVEL_NAMES)


def make_world(
    objects: list[Box], detections: list[tuple[int, str, list[float], float]]
) -> tuple[Scene, Found]:
    """A scene of COCO's kind, every class labelled in every image; detections best first."""
    images = 1 + max([image for image, *_ in (*objects, *detections)], default=0)
    boxes = np.array([box for _, _, box in objects], dtype=np.float64).reshape(-1, 4)
    truth = Truth(
        np.array([image for image, _, _ in objects], dtype=np.int64),
        np.array([NAMES.index(name) for _, name, _ in objects], dtype=np.int64),
        boxes,
        np.zeros(len(objects), dtype=bool),
    )
    checked = np.ones((images, len(NAMES)), dtype=bool)
    is_base = np.array([name in BASE_NAMES for name in NAMES])
    ids = np.arange(1, len(NAMES) + 1)
    scene = Scene(np.arange(images), ids, is_base, truth, checked, checked.copy())
    ordered = sorted(detections, key=lambda one: (one[0], -one[3]))
    found = Found(
        np.array([image for image, *_ in ordered], dtype=np.int64),
        np.array([NAMES.index(name) for _, name, _, _ in ordered], dtype=np.int64),
        np.array([score for *_, score in ordered]),
        np.array([box for _, _, box, _ in ordered], dtype=np.float64).reshape(-1, 4),
        np.arange(len(ordered)),
    )
    return scene, found


def random_world(seed: int, images: int = 12) -> tuple[list[Box], list]:
    """Objects, and detections of which some are moved, some renamed, some made up."""
    rng = np.random.default_rng(seed)
    objects, detections = [], []
    for image in range(images):
        for _ in range(rng.integers(1, 7)):
            start = rng.uniform(0, 60, 2)
            box = [*start, *(start + rng.uniform(12, 35, 2))]
            name = NAMES[rng.integers(0, len(NAMES))]
            objects.append((image, name, box))
            for _ in range(rng.integers(0, 4)):
                moved = np.array(box) + rng.uniform(-5, 5, 4)
                called = name if rng.random() < 0.6 else NAMES[rng.integers(0, len(NAMES))]
                detections.append((image, called, moved.tolist(), round(rng.random(), 2)))
        for _ in range(3):
            start = rng.uniform(0, 60, 2)
            box = [*start, *(start + rng.uniform(8, 35, 2))]
            called = NAMES[rng.integers(0, len(NAMES))]
            detections.append((image, called, box, round(rng.random() / 2, 2)))
    return objects, detections


def write_files(
    folder: Path,
    objects: list[Box],
    detections: list,
    *,
    names: tuple[str, ...] = NAMES,
    protocol: str = "coco",
    ap: float | None = None,
) -> Path:
    """A run folder as `ovdistill test --dump` leaves it, and its annotation file; no masks."""
    from ovdistill.datasets.annotations import read_annotations
    from ovdistill.evaluation.accumulate import AREA_ALL, mean_percent
    from ovdistill.evaluation.analysis.run_files import read_detections
    from ovdistill.evaluation.backends import build_evaluator

    count = 1 + max(image for image, *_ in (*objects, *detections))
    places = {name: number for number, name in enumerate(NAMES)}
    shown = [names[places[name]] for _, name, _ in objects]
    annotations = [
        _annotation(number, image, names.index(name) + 1, box)
        for number, ((image, _, box), name) in enumerate(zip(objects, shown, strict=True), 1)
    ]
    images = [{"id": k, "file_name": f"{k}.png", "width": 100, "height": 100} for k in range(count)]
    categories = [
        {"id": k, "name": name, "frequency": "rcfc"[k - 1]} for k, name in enumerate(names, 1)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    ann_file = folder / "annotations.json"
    content = {"images": images, "annotations": annotations, "categories": categories}
    ann_file.write_text(json.dumps(content))
    rows = [
        {"image_id": image, "category_id": places[name] + 1, "bbox": _xywh(box), "score": score}
        for image, name, box, score in detections
    ]
    path = folder / "detections.bbox.json"
    path.write_text(json.dumps(rows))
    if ap is None:
        evaluator = build_evaluator("hotcoco", read_annotations(ann_file), protocol, 100)
        ids = [*range(count)], [*range(1, len(names) + 1)]
        curves = evaluator.curves(read_detections(path, "bbox"), "bbox", *ids)
        ap = mean_percent(curves.precision[..., AREA_ALL])
    (folder / "metrics.json").write_text(json.dumps({"bbox/AP": ap, "bbox/AP50": ap}))
    classes = [
        {"id": k, "name": name, "group": "base" if k <= len(BASE_NAMES) else "novel"}
        for k, name in enumerate(names, 1)
    ]
    (folder / "per_category.json").write_text(json.dumps(classes))
    origin: dict[str, Any] = {
        "config": "some_config",
        "checkpoint": f"{folder}/last.pth",
        "ann_file": str(ann_file),
        "images": str(folder / "images"),
        "image_ids": None,
        "protocol": protocol,
        "max_dets": 100,
        "proposals_per_image": None,
        "subset": "test",
    }
    (folder / "provenance.json").write_text(json.dumps(origin))
    return folder


def _annotation(number: int, image: int, category: int, box: list[float]) -> dict[str, Any]:
    x, y, w, h = _xywh(box)
    place = {"bbox": [x, y, w, h], "area": w * h, "iscrowd": 0}
    return {"id": number, "image_id": image, "category_id": category, **place}


def _xywh(box: list[float]) -> list[float]:
    x1, y1, x2, y2 = box
    return [x1, y1, x2 - x1, y2 - y1]
