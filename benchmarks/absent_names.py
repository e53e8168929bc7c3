"""How often a detector finds what is not there, and whether its scores are probabilities.

    python -m benchmarks.absent_names --images data/ovshapes/images \
        --annotations data/ovshapes/annotations/instances_val.json

Each image is asked for the names of some of its objects and for as many names of which it has no
object. Prints, with and without competing class names, the recall of what is there, and the false
positives an image of what is not, at the threshold where both recall the same.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np

from ovdistill import Detector

STEPS = np.linspace(0.02, 0.99, 98)


def overlaps(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Return the (n,) IoU of (n, 4) xyxy boxes with one."""
    low, high = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, 2:], box[2:])
    common = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) + np.prod(box[2:] - box[:2])
    return common / np.maximum(areas - common, 1e-9)


def measure(detector, data, folder, background, count, asked, rng):
    """Return best scores of true objects, and scores of detections of absent names."""
    names = {c["id"]: c["name"] for c in data["categories"]}
    objects = defaultdict(list)
    for one in data["annotations"]:
        objects[one["image_id"]].append(one)
    found, false = [], []
    for image in data["images"][:count]:
        own = objects[image["id"]]
        present = list(dict.fromkeys(names[one["category_id"]] for one in own))[:asked]
        absent = sorted(set(names.values()) - {names[one["category_id"]] for one in own})
        absent = [str(n) for n in rng.choice(absent, len(present), replace=False)]
        if not present:
            continue
        result = detector.predict(
            folder / image["file_name"], [*present, *absent], 0.01, 300, background=background
        )
        for one in own:
            if (name := names[one["category_id"]]) in present:
                x, y, w, h = one["bbox"]
                same = np.array([n == name for n in result.names], bool)
                fit = same & (overlaps(result.boxes, np.array([x, y, x + w, y + h])) >= 0.5)
                found.append(result.scores[fit].max() if fit.any() else 0.0)
        false += [s for n, s in zip(result.names, result.scores, strict=True) if n in absent]
    return np.array(found), np.array(false)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="ovshapes")
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--count", type=int, default=200, help="images")
    parser.add_argument("--asked", type=int, default=3, help="names of objects asked for")
    options = parser.parse_args()
    data = json.loads(options.annotations.read_bytes())
    detector = Detector.from_pretrained(options.model)
    for background in (None, "auto"):
        rng = np.random.default_rng(0)
        found, false = measure(
            detector, data, options.images, background, options.count, options.asked, rng
        )
        print(
            f"background {background}: at 0.3 recall {np.mean(found >= 0.3):.3f}, "
            f"false {np.sum(false >= 0.3) / options.count:.3f} an image"
        )
        for recall in (0.8, 0.85, 0.9, 0.93):
            limits = [s for s in STEPS if np.mean(found >= s) >= recall]
            if limits:
                print(
                    f"  recall {recall}: threshold {limits[-1]:.2f}, "
                    f"false {np.sum(false >= limits[-1]) / options.count:.3f} an image"
                )


if __name__ == "__main__":
    main()
