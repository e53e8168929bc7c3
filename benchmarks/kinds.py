"""What it is worth that the kinds of a name count as it: "dotted heart" where "heart" is asked for.

    python -m benchmarks.kinds --images data/ovshapes/images \
        --annotations data/ovshapes/annotations/instances_val.json

Each image is asked for the last word of every class name, one at a time. Prints recall and
precision at a threshold: without competing class names, with them, and with kinds as well.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torchvision.ops import box_iou

from ovdistill import Detector
from ovdistill.core.images import read_image
from ovdistill.datasets.annotations import read_annotations
from ovdistill.evaluation.analysis.matching import FOREGROUND
from ovdistill.inference.competitors import competitors


def background_of(detector, name, way):
    """Return what competes with a name, as ``Detector.requery`` takes it."""
    if way == "competitors alone":
        return list(competitors(detector.encode_texts([name]), detector.known).names)
    return "auto" if way == "with kinds" else None


def count_right(found, truth):
    """Return how many detections are right: each takes the object left that it overlaps most.

    Args:
        found: (n, 4) float32 xyxy boxes of detections, best first.
        truth: (m, 4) float32 xyxy boxes of the objects that have the name.
    """
    free = np.ones(len(truth), dtype=bool)
    for overlaps in box_iou(torch.from_numpy(found), torch.from_numpy(truth)).numpy():
        overlaps[~free] = 0
        if overlaps.max(initial=0) >= FOREGROUND:
            free[overlaps.argmax()] = False
    return len(truth) - int(free.sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="ovshapes")
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--count", type=int, default=100, help="images")
    parser.add_argument("--threshold", type=float, default=0.3)
    options = parser.parse_args()
    truth = read_annotations(options.annotations)
    last_words = {one["id"]: name.split()[-1] for name, one in truth.categories.items()}
    detector = Detector.from_pretrained(options.model)
    detector.set_vocabulary(["object"])
    images = truth.images[: options.count]
    seen = [
        detector.predict(read_image(options.images / image["file_name"]), keep_regions=True)
        for image in images
    ]
    for way in ("nothing competes", "competitors alone", "with kinds"):
        right = reported = objects = 0
        for name in sorted(set(last_words.values())):
            detector.set_vocabulary([name], background_of(detector, name, way))
            for image, before in zip(images, seen, strict=True):
                found = detector.requery(before, score_threshold=options.threshold)
                own = [
                    one
                    for one in truth.by_image.get(image["id"], [])
                    if last_words[one["category_id"]] == name
                ]
                boxes = np.array([one["bbox"] for one in own], dtype=np.float32).reshape(-1, 4)
                boxes[:, 2:] += boxes[:, :2]
                right += count_right(found.boxes, boxes)
                reported += len(found)
                objects += len(own)
        print(f"{way}: recall {right / objects:.3f}, precision {right / max(1, reported):.3f}")


if __name__ == "__main__":
    main()
