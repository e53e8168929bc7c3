"""Annotation files with simple objects, and detections of them as a detector gives them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pycocotools import mask as mask_utils

from ovdistill.core.masks import encode_masks
from ovdistill.evaluation.ov_metric import OVMetric

SIZE = 96


def mask_of(box: list[float]) -> np.ndarray:
    """(SIZE, SIZE) bool, the lower left triangle of an xyxy box: half the box's area."""
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    x1, y1, x2, y2 = box
    inside = (x > x1) & (x < x2) & (y > y1) & (y < y2)
    return inside & ((x - x1) * (y2 - y1) <= (y - y1) * (x2 - x1))


def write_truth(path: Path, objects: list[list[tuple[int, list[float]]]], classes: int) -> Path:
    """An LVIS file (and so a COCO file) of category ids 1..classes; a list of objects an image."""
    images, annotations = [], []
    for image_id, image_objects in enumerate(objects, start=1):
        present = {category_id for category_id, _ in image_objects}
        images.append(
            {
                "id": image_id,
                "coco_url": f"http://somewhere/{image_id}.jpg",  # LVIS files have no file_name
                "height": SIZE,
                "width": SIZE,
                "neg_category_ids": [k for k in range(1, classes) if k not in present],
                "not_exhaustive_category_ids": [min(present)] if image_id % 3 == 0 else [],
            }
        )
        for category_id, box in image_objects:
            rle = encode_masks(mask_of(box)[None])[0]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": category_id,
                    "bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]],
                    "area": float(mask_utils.area(rle)),
                    "iscrowd": 0,
                    "segmentation": {"size": rle["size"], "counts": rle["counts"].decode()},
                }
            )
    categories = [
        {"id": k, "name": f"c{k}", "frequency": "rcf"[k % 3]} for k in range(1, 1 + classes)
    ]
    path.write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories})
    )
    return path


def sample(image_id: int, found: list[tuple[int, list[float], float]]) -> dict:
    """A data sample of (category id, xyxy box, score) detections."""
    boxes = [box for _, box, _ in found]
    return {
        "img_id": image_id,
        "ori_shape": (SIZE, SIZE),
        "pred_instances": {
            "bboxes": torch.tensor(boxes).reshape(-1, 4),
            "labels": torch.tensor([k - 1 for k, _, _ in found], dtype=torch.long),
            "scores": torch.tensor([score for _, _, score in found]),
            "masks": torch.from_numpy(
                np.stack([mask_of(b) for b in boxes]) if boxes else np.zeros((0, SIZE, SIZE), bool)
            ),
        },
    }


def run(truth: Path, samples: list[dict], classes: int, novel: set[int], **options: Any) -> dict:
    """Evaluates; category ids in ``novel`` are the novel ones."""
    metric = OVMetric(str(truth), **options)
    ids = tuple(range(1, classes + 1))
    metric.dataset_meta = {
        "classes": tuple(f"c{k}" for k in ids),
        "cat_ids": ids,
        "is_base": tuple(k not in novel for k in ids),
    }
    metric.process({}, samples)
    return metric.evaluate(len(samples)) | {"metric": metric}


def random_world(tmp_path: Path, images: int, classes: int, clutter: int) -> tuple[Path, list]:
    """Objects, jittered detections of them, and ``clutter`` random boxes an image."""
    rng = np.random.default_rng(0)

    def boxes(n: int) -> np.ndarray:
        # on both sides of 32^2, the border of small and medium, by box and by mask area
        start = rng.uniform(0, SIZE - 60, (n, 2))
        return np.concatenate([start, start + rng.uniform(8, 60, (n, 2))], axis=1)

    objects, samples = [], []
    for image_id in range(1, images + 1):
        truth = boxes(6)
        # the last class never occurs
        labels = rng.integers(1, classes, 6)
        objects.append([(int(k), b.tolist()) for k, b in zip(labels, truth, strict=True)])
        moved = np.clip(truth + rng.normal(0, 2, (6, 4)), 0, SIZE)
        found = np.concatenate([moved, boxes(clutter)])
        names = np.concatenate([labels, rng.integers(1, classes + 1, clutter)])
        scores = rng.uniform(0, 1, len(found)).round(2)  # rounded: with ties
        found = [
            (int(k), b.tolist(), float(s)) for k, b, s in zip(names, found, scores, strict=True)
        ]
        samples.append(sample(image_id, found))
    return write_truth(tmp_path / "truth.json", objects, classes), samples
