"""Which detections are right, by the labels of an annotation file.

Shapes: n detections.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tqdm import tqdm

from ovdistill.core.errors import UserError
from ovdistill.core.images import read_image
from ovdistill.datasets.annotations import read_annotations
from ovdistill.evaluation.analysis.matching import find_pairs, match_detections
from ovdistill.evaluation.analysis.scene import Scene, make_found, make_scene
from ovdistill.evaluation.records import Records, concatenate
from ovdistill.inference.detections import Detections
from ovdistill.inference.detector import Detector
from ovdistill.inference.prompts import tidy


def judge_detections(
    detector: Detector, annotations: Path, images: Path, count: int, lowest: float = 0.01
) -> tuple[np.ndarray, np.ndarray]:
    """Detect the classes of an annotation file in its images, and tell what is right.

    As in the evaluation, detections that are neither right nor wrong do not count: those in a
    crowd, and in LVIS's format those of a class that the image was not searched for, or whose
    objects are not all labelled there.

    Args:
        detector: its class names become those of the file.
        annotations: in COCO's or LVIS's format.
        images: folder of the images.
        count: how many images to look at, evenly spread over the file.
        lowest: score of the detections that are looked at.

    Returns:
        (n,) float scores and (n,) bool of the detections that count, in all images.

    Raises:
        UserError: a file or an image that cannot be read, or no detection that counts.
    """
    truth = read_annotations(annotations)
    detector.set_vocabulary(list(truth.categories))
    ids = {tidy(name): record["id"] for name, record in truth.categories.items()}
    last = len(truth.images) - 1
    places = np.linspace(0, last, min(count, last + 1)).round().astype(int)
    chosen = [truth.images[place] for place in places]
    parts = []
    for image in tqdm(chosen, desc="images", disable=None):
        pixels = read_image(images / image["file_name"])
        found = detector.predict(pixels, score_threshold=lowest, keep_regions=False)
        parts.append(_records(found, image["id"], [ids[name] for name in found.names]))
    cat_ids = sorted(ids.values())
    base = [True] * len(cat_ids)  # what is right does not depend on it
    scene = make_scene(
        truth, [image["id"] for image in chosen], cat_ids, base, federated=truth.is_lvis
    )
    scores, right = _judge(concatenate(parts, with_masks=False), scene)
    if not len(scores):
        raise UserError(
            f"nothing was detected in {len(chosen)} images of {images} that is right or wrong by "
            f"{annotations}; expected images of its classes, with their objects labelled"
        )
    return scores, right


def _records(found: Detections, image_id: int, cat_ids: list[int]) -> Records:
    """Return the detections of an image in the form in which they are evaluated."""
    boxes = found.boxes.astype(np.float64)
    return Records(
        image_ids=np.full(len(found), image_id, dtype=np.int64),
        category_ids=np.array(cat_ids, dtype=np.int64),
        scores=found.scores,
        boxes=np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1),
    )


def _judge(records: Records, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Return scores of the detections that count, and whether each is right."""
    found = make_found(records, scene, len(records), per_class=True)
    matching = match_detections(found, scene, find_pairs(found, scene.truth))
    return found.scores[~matching.ignored], matching.right[~matching.ignored]
