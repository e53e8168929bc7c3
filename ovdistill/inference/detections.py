"""The detections in one image, as users get them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ovdistill.core.masks import encode_masks, rle_to_json


@dataclass(frozen=True)
class Detections:
    """n detections in an image of H x W pixels, best first.

    Attributes:
        boxes: (n, 4) float32, xyxy, absolute pixels of the original image.
        scores: (n,) float32 in [0, 1].
        labels: (n,) int64, indices into the queries.
        names: the query of each detection.
        masks: (n, H, W) bool, or None if the detector has no masks.
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    masks: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.scores)

    def records(self) -> list[dict[str, Any]]:
        """Return a dict for each detection, in a form that JSON can hold.

        Returns:
            ``name``, ``score``, ``box`` (xyxy, absolute pixels of the original image) and, if
            there are masks, ``mask`` (COCO's compressed RLE).
        """
        result: list[dict[str, Any]] = [
            {"name": name, "score": round(score, 4), "box": [round(v, 2) for v in box]}
            for name, score, box in zip(
                self.names, self.scores.tolist(), self.boxes.tolist(), strict=True
            )
        ]
        if self.masks is not None:
            for record, rle in zip(result, encode_masks(self.masks), strict=True):
                record["mask"] = rle_to_json(rle)
        return result


def select(
    instances: Any, queries: tuple[str, ...], score_threshold: float, max_dets: int
) -> Detections:
    """Select the best detections from a detector's output.

    Args:
        instances: an mmengine InstanceData with tensors ``bboxes`` (m, 4), ``scores`` (m,),
            ``labels`` (m,) and perhaps ``masks`` (m, H, W), in any order.
        queries: the texts that are wanted. Detections of higher labels, which are background
            texts, are dropped.
        score_threshold: the lowest score that is kept.
        max_dets: the largest number of detections that are kept.
    """
    wanted = (instances.scores >= score_threshold) & (instances.labels < len(queries))
    order = instances.scores.argsort(descending=True, stable=True)
    chosen = order[wanted[order]][:max_dets]
    labels = instances.labels[chosen].cpu().numpy()
    masks = instances.masks[chosen].bool().cpu().numpy() if "masks" in instances else None
    return Detections(
        boxes=instances.bboxes[chosen].float().cpu().numpy(),
        scores=instances.scores[chosen].float().cpu().numpy(),
        labels=labels,
        names=tuple(queries[label] for label in labels),
        masks=masks,
    )
