"""Pipelines and evaluators of a recipe, changed for a user's own data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ovdistill.core.errors import UserError

Step = dict[str, Any]


def parse_image_size(text: str) -> tuple[int, int]:
    """Return the sides of the network input: the shorter one, and the longest that is allowed.

    Args:
        text: "640" (images fit into 640 x 640), or two numbers in any order, "800x1333".

    Raises:
        UserError: something else, or sides under 32 pixels.
    """
    found = re.fullmatch(r"(\d{1,5})(?:[x,](\d{1,5}))?", text.replace(" ", ""))
    sides = sorted(int(part) for part in found.groups() if part) if found else []
    if not sides or sides[0] < 32:
        raise UserError(
            f"got --image-size {text}; expected one number of pixels, such as 640, or the short "
            "and the long side, such as 800x1333 (32 or more)"
        )
    return sides[0], sides[-1]


def resized(pipeline: Sequence[Mapping[str, Any]], size: tuple[int, int]) -> list[Step]:
    """Return a pipeline whose images have another size; one that does not resize does so now.

    Scales to choose from keep their proportions to the largest. Crops and padded images are squares
    of the long side.

    Args:
        pipeline: its steps.
        size: from ``parse_image_size``.
    """
    short, long = size
    steps: list[Step] = []
    for old in pipeline:
        step = dict(old)
        if "scale" in step:
            step["scale"] = (long, short)
        if _is_scales(step.get("scales")):
            largest = max(min(scale) for scale in step["scales"])
            shorter = [round(short * min(scale) / largest) for scale in step["scales"]]
            step["scales"] = [(long, side) for side in shorter]
        if "crop_size" in step and step.get("crop_type", "absolute") == "absolute":
            step["crop_size"] = (long, long)
        if step["type"] == "Pad" and step.get("size"):
            step["size"] = (long, long)
        steps.append(step)
    if not any("scale" in step or _is_scales(step.get("scales")) for step in steps):
        loaded = sum(step["type"].split(".")[-1].startswith("Load") for step in steps)
        steps.insert(loaded, dict(type="OVResize", scale=(long, short), keep_ratio=True))
    return steps


def without_masks(pipeline: Sequence[Mapping[str, Any]]) -> list[Step]:
    """Return a pipeline that loads no masks."""
    return [
        dict(step, with_mask=False) if step["type"] == "LoadAnnotations" else dict(step)
        for step in pipeline
    ]


def loads_masks(pipeline: Sequence[Mapping[str, Any]]) -> bool:
    """Return True if a step of a pipeline loads masks."""
    return any(step.get("with_mask") for step in pipeline)


def own_evaluators(given: Any, *, lvis: bool, masks: bool) -> list[Step]:
    """Return the evaluators of a recipe for another annotation file, ``{data_root}/{val_ann}``.

    Everything else of them is kept, but what the data do not allow.

    Args:
        given: the recipe's ``test_evaluator``: a config, several, or None.
        lvis: the file has what LVIS's protocol needs.
        masks: there are masks to train on and to evaluate.
    """
    listed = [given] if isinstance(given, Mapping) else list(given or [dict(type="OVMetric")])
    found = []
    for old in listed:
        evaluator = dict(old)
        if "ann_file" in evaluator or evaluator["type"] == "OVMetric":
            evaluator["ann_file"] = "{data_root}/{val_ann}"
        if evaluator["type"] == "OVMetric":
            evaluator["protocol"] = "lvis" if lvis else "coco"
            metrics = evaluator.get("metrics", ("bbox", "segm"))
            metrics = (metrics,) if isinstance(metrics, str) else tuple(metrics)
            evaluator["metrics"] = metrics if masks else ("bbox",)
            if "max_dets" in evaluator and old.get("protocol", "lvis") != evaluator["protocol"]:
                del evaluator["max_dets"]  # of the other protocol
        found.append(evaluator)
    return found


def _is_scales(value: Any) -> bool:
    """Return True for sizes of images, False for scales of anchors and the like."""
    return isinstance(value, (list, tuple)) and all(isinstance(v, (list, tuple)) for v in value)
