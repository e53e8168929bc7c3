"""What an inferencer gives back for one image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ovdistill.core.masks import encode_masks, rle_to_json


@dataclass(frozen=True)
class Detections:
    """n objects of an image of H x W pixels, best first.

    Attributes:
        boxes: (n, 4) float32, xyxy, absolute pixels of the original image.
        scores: (n,) float32 in [0, 1].
        labels: (n,) int64, positions in the list of queries.
        names: n queries, one a box.
        masks: (n, H, W) bool, or None of a detector without masks.
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    masks: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.scores)

    def records(self) -> list[dict[str, Any]]:
        """One dict a box that JSON can hold: name, score, box (xyxy) and mask (COCO RLE)."""
        result = [
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
    """The best detections of a detector's output.

    Args:
        instances: ``bboxes`` (m, 4), ``scores`` (m,), ``labels`` (m,) and perhaps ``masks``
            (m, H, W), tensors, in any order (an mmengine InstanceData).
        queries: the words that are wanted; labels beyond them are background words and dropped.
        score_threshold: the lowest score kept.
        max_dets: how many are kept at most.
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
