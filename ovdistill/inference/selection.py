"""Selects the detections that a user gets from those that a detector makes.

Shapes: m detections of the detector, n that are selected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor
from torchvision.ops import nms

from ovdistill.core.errors import UserError
from ovdistill.inference.detections import Detections


@dataclass(frozen=True)
class Limits:
    """Which detections in an image are returned.

    Attributes:
        score_threshold: the lowest score.
        max_dets: the largest number of detections.
        same_object: detections of two class names whose boxes overlap by more than this IoU are of
            one object, and only the better one is returned; 1 returns both.
    """

    score_threshold: float = 0.3
    max_dets: int = 100
    same_object: float = 0.7


def select(
    instances: Any, queries: tuple[str, ...], limits: Limits, names: tuple[str, ...] = ()
) -> Detections:
    """Select the best detections from a detector's output.

    Args:
        instances: an mmengine InstanceData with tensors ``bboxes`` (m, 4), ``scores`` (m,),
            ``labels`` (m,) and perhaps ``masks`` (m, H, W), ``embeddings`` (m, D), and
            ``runner_up`` (m,) with ``runner_up_scores`` (m,), in any order.
        queries: the texts that are wanted. Detections of higher labels, which are background
            texts, are dropped.
        limits: which of them to return.
        names: all class names, which runners-up are indices into.

    Raises:
        UserError: a box or score is not a finite number.
    """
    if not (instances.bboxes.isfinite().all() and instances.scores.isfinite().all()):
        raise UserError(
            "the detector returned boxes or scores that are not finite numbers: its weights are "
            "damaged, or their training diverged"
        )
    wanted = (instances.scores >= limits.score_threshold) & (instances.labels < len(queries))
    order = instances.scores.argsort(descending=True, stable=True)
    chosen = order[wanted[order]]
    if limits.same_object < 1:
        boxes, scores = instances.bboxes[chosen], instances.scores[chosen]
        chosen = chosen[nms(boxes.float(), scores.float(), limits.same_object)]
    chosen = chosen[: limits.max_dets]
    labels = instances.labels[chosen].cpu().numpy()
    second = instances.runner_up[chosen].tolist() if "runner_up" in instances else []
    return Detections(
        boxes=instances.bboxes[chosen].float().cpu().numpy(),
        scores=instances.scores[chosen].float().cpu().numpy(),
        labels=labels,
        names=tuple(queries[label] for label in labels),
        masks=instances.masks[chosen].bool().cpu().numpy() if "masks" in instances else None,
        queries=queries,
        runner_up_names=tuple(None if label < 0 else names[label] for label in second),
        runner_up_scores=_rows(instances, "runner_up_scores", chosen),
        embeddings=_rows(instances, "embeddings", chosen),
    )


def _rows(instances: Any, key: str, chosen: Tensor) -> np.ndarray | None:
    """Return rows of a tensor as a float32 array, None if there is no such tensor."""
    return instances[key][chosen].float().cpu().numpy() if key in instances else None
