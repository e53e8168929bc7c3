"""Which detections are right, by the labels of an annotation file.

Shapes: n detections, m labelled objects of an image.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torchvision.ops import box_iou
from tqdm import tqdm

from ovdistill.core.errors import UserError
from ovdistill.core.images import read_image
from ovdistill.datasets.annotations import read_annotations
from ovdistill.inference.detections import Detections
from ovdistill.inference.detector import Detector

RIGHT = 0.5  # IoU


def judge_detections(
    detector: Detector, annotations: Path, images: Path, count: int, lowest: float = 0.01
) -> tuple[np.ndarray, np.ndarray]:
    """Detect the classes of an annotation file in its images, and tell what is right.

    Args:
        detector: its class names become those of the file.
        annotations: in COCO's or LVIS's format, with every object labelled.
        images: folder of the images.
        count: how many images to look at, evenly spread over the file.
        lowest: score of the detections that are looked at.

    Returns:
        (n,) float scores and (n,) bool of the detections in all images.

    Raises:
        UserError: a file or an image that cannot be read, or no detection at all.
    """
    truth = read_annotations(annotations)
    names = {record["id"]: name for name, record in truth.categories.items()}
    detector.set_vocabulary(list(names.values()))
    step = max(1, len(truth.images) // count)
    scores, right = [], []
    chosen = list(islice(truth.images, 0, None, step))[:count]
    for image in tqdm(chosen, desc="images", disable=None):
        pixels = read_image(images / image["file_name"])
        found = detector.predict(pixels, score_threshold=lowest, keep_regions=False)
        objects = truth.by_image.get(image["id"], [])
        boxes = np.array([one["bbox"] for one in objects], dtype=np.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        labels = [names[one["category_id"]] for one in objects]
        scores.append(found.scores)
        right.append(match(found, boxes, labels))
    if not sum(map(len, scores)):
        raise UserError(f"nothing was detected in {len(chosen)} images of {images}")
    return np.concatenate(scores), np.concatenate(right)


def match(found: Detections, boxes: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Return (n,) bool: whether each detection is of a labelled object, each of which counts once.

    Args:
        found: n detections, best first.
        boxes: (m, 4) xyxy of the labelled objects, absolute pixels of the image.
        names: of the labelled objects.
    """
    right = np.zeros(len(found), dtype=bool)
    if not len(boxes) or not len(found):
        return right
    iou = box_iou(torch.from_numpy(found.boxes), torch.from_numpy(boxes)).numpy()
    free = np.ones(len(boxes), dtype=bool)
    for row, name in enumerate(found.names):
        fits = free & (iou[row] >= RIGHT) & np.array([own == name for own in names])
        if fits.any():
            right[row] = True
            free[np.where(fits, iou[row], -1).argmax()] = False
    return right
