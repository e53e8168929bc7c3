"""Selects the detections that a user gets from those that a detector makes.

Shapes: m detections of the detector, n that are selected.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor
from torchvision.ops import nms

from ovdistill.core.errors import UserError
from ovdistill.inference.calibration import Calibration
from ovdistill.inference.detections import Detections
from ovdistill.inference.limits import Limits


def select(
    instances: Any,
    queries: tuple[str, ...],
    limits: Limits,
    names: tuple[str, ...] = (),
    calibration: Calibration | None = None,
    paste: Callable[[Tensor], Tensor] | None = None,
) -> Detections:
    """Select the best detections from a detector's output.

    Args:
        instances: an mmengine InstanceData with tensors ``bboxes`` (m, 4), ``scores`` (m,),
            ``labels`` (m,) and perhaps ``masks`` (m, H, W), ``embeddings`` (m, D),
            ``regions`` (m,), and ``runner_up`` (m,) with ``runner_up_scores`` (m,), in any order.
        queries: the texts that are wanted. Detections of higher labels, which are background
            texts, are dropped.
        limits: which of them to return.
        names: all class names, which runners-up are indices into.
        calibration: turns scores into probabilities, which the limits are of then.
        paste: makes the (n, H, W) masks of the selected detections from their (n,) indices into
            the m, in place of ``masks``.

    Raises:
        UserError: a box or score is not a finite number.
    """
    if not (instances.bboxes.isfinite().all() and instances.scores.isfinite().all()):
        raise UserError(
            "the detector returned boxes or scores that are not finite numbers: its weights are "
            "damaged, or their training diverged"
        )
    lowest = calibration.score(limits.lowest) if calibration else limits.lowest
    wanted = (instances.scores >= lowest) & (instances.labels < len(queries))
    order = instances.scores.argsort(descending=True, stable=True)
    chosen = order[wanted[order]]
    if limits.same_object < 1:
        boxes, scores = instances.bboxes[chosen], instances.scores[chosen]
        chosen = chosen[nms(boxes.float(), scores.float(), limits.same_object)]
    labels = instances.labels[chosen].cpu().numpy()
    second = instances.runner_up[chosen].tolist() if "runner_up" in instances else []
    probabilities = calibration.probabilities if calibration else np.asarray
    second_scores = _rows(instances, "runner_up_scores", chosen)
    found = Detections(
        boxes=instances.bboxes[chosen].float().cpu().numpy(),
        scores=probabilities(instances.scores[chosen].float().cpu().numpy()),
        labels=labels,
        names=tuple(queries[label] for label in labels),
        masks=_masks(instances, chosen, paste),
        queries=queries,
        runner_up_names=tuple(None if label < 0 else names[label] for label in second),
        runner_up_scores=None if second_scores is None else probabilities(second_scores),
        embeddings=_rows(instances, "embeddings", chosen),
        region_rows=instances.regions[chosen].cpu().numpy() if "regions" in instances else None,
    )
    return limits.applied(found)


def _masks(
    instances: Any, chosen: Tensor, paste: Callable[[Tensor], Tensor] | None
) -> np.ndarray | None:
    """Return the masks of the chosen detections as a bool array, None if there are none."""
    if paste is None and "masks" not in instances:
        return None
    masks = instances.masks[chosen] if paste is None else paste(chosen)
    return masks.bool().cpu().numpy()


def _rows(instances: Any, key: str, chosen: Tensor) -> np.ndarray | None:
    """Return rows of a tensor as a float32 array, None if there is no such tensor."""
    return instances[key][chosen].float().cpu().numpy() if key in instances else None
