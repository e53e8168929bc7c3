"""How far a proposal network that is trained for a detector may enlarge small images.

A network proposes best at the size at which it was trained: on OVShapes images of half the size,
recall at IoU 0.75 is 83 % where they are enlarged to the size of its training, and 28 % as they
are. So a network that was trained elsewhere sees images as its own recipe says. One that the
preparation trains is trained for this detector, and neither its training nor its proposals enlarge
an image further than the detector's own pipelines do: that would take time for nothing that the
detector can learn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mmengine.config import Config

from ovdistill.datasets.transforms.fitting_size import Size

RESIZES = ("OVResize", "Resize")
NO_ENLARGING = (1, 1)
LIMIT = "enlarge_within"


def limit_enlarging(network: Config, within: Size) -> None:
    """Let no pipeline of a network enlarge an image further than to fit into two sides."""
    for step in _steps(network):
        if _name(step, "resize_type" if "resize_type" in step else "type") == "OVResize":
            step[LIMIT] = within


def limit_of(network: Config) -> Size | None:
    """Return the two sides that ``limit_enlarging`` has set; None if it has not."""
    limits = (tuple(step[LIMIT]) for step in _steps(network) if step.get(LIMIT))
    return next(limits, None)


def needed_limit(detector: Config, network: Config) -> Size | None:
    """Return the largest size to which a detector's pipelines bring images, as a network's limit.

    Args:
        detector: the config of the detector.
        network: that of the network.

    Returns:
        The longer and the shorter side; None where it would limit nothing, or is not known.
    """
    own, others = _largest(_steps(detector)), _largest(_steps(network))
    if own is None or others is None or (others[0] <= own[0] and others[1] <= own[1]):
        return None
    return own


def _largest(steps: Iterable[Mapping[str, Any]]) -> Size | None:
    """Return the longest and the largest shorter side of any step; None if they are not known."""
    long, short = NO_ENLARGING
    for step in steps:
        sizes = _sizes(step)
        if sizes is None:
            return None
        for size in sizes:
            long, short = max(long, *size), max(short, min(size))
    return long, short


def _sizes(step: Mapping[str, Any]) -> list[Size] | None:
    """Return the sizes that a step may bring images to; None if it resizes in an unknown way."""
    kind = _name(step, "type")
    if kind in RESIZES:
        scale = step.get("scale")
        return [tuple(scale)] if isinstance(scale, (list, tuple)) else None
    if kind == "RandomChoiceResize":
        return [tuple(scale) for scale in step["scales"]]
    if kind == "RandomResize":
        scale = step["scale"]
        scales = scale if isinstance(scale[0], (list, tuple)) else [scale]
        ratio = max(step.get("ratio_range") or (1,))
        return [(round(a * ratio), round(b * ratio)) for a, b in scales]
    return None if "Resize" in kind else []


def _steps(config: Config) -> Iterator[Any]:
    """Yield the steps of the pipelines by which a config trains and tests."""
    dataset: Any = (config.get("train_dataloader") or {}).get("dataset") or {}
    while "dataset" in dataset:
        dataset = dataset["dataset"]
    parts = dataset.get("datasets") or [dataset]
    for pipeline in (*(part.get("pipeline") for part in parts), config.get("test_pipeline")):
        yield from pipeline or ()


def _name(step: Mapping[str, Any], key: str) -> str:
    return str(step.get(key)).rpartition(".")[2]
