"""The detections in one image, as users get them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.core.masks import encode_masks, rle_to_json


@dataclass(frozen=True)
class Detections:
    """n detections in an image of H x W pixels, best first.

    Attributes:
        boxes: (n, 4) float32, xyxy, absolute pixels of the original image.
        scores: (n,) float32 in [0, 1].
        labels: (n,) int64, indices into the queries.
        names: the query of each detection.
        masks: (n, H, W) bool, or None if the detector has no masks. Of an image that was reduced
            (see ``large_images``) they have the pixels of the reduced one.
        size: H and W of such an image; None where the masks, if any, say it.
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    masks: np.ndarray | None = None
    size: tuple[int, int] | None = None
    runner_up_names: tuple[str | None, ...] = ()
    runner_up_scores: np.ndarray | None = None
    embeddings: np.ndarray | None = None
    queries: tuple[str, ...] = ()
    image: np.ndarray | None = None
    path: str | None = None
    regions: Any = None

    def __len__(self) -> int:
        return len(self.scores)

    def records(self) -> list[dict[str, Any]]:
        """Return a dict for each detection, in a form that JSON can hold.

        Returns:
            ``name``, ``score``, ``box`` (xyxy, absolute pixels of the original image) and, if
            there are masks, ``mask`` (COCO's compressed RLE, of the original image's size).
        """
        result: list[dict[str, Any]] = [
            {"name": name, "score": round(score, 4), "box": [round(v, 2) for v in box]}
            for name, score, box in zip(
                self.names, self.scores.tolist(), self.boxes.tolist(), strict=True
            )
        ]
        if self.masks is not None:
            for record, mask in zip(result, self.masks, strict=True):
                (rle,) = encode_masks(_enlarged(mask, self.size)[None])
                record["mask"] = rle_to_json(rle)
        return result

    def moved(self, old: tuple[int, int], new: tuple[int, int]) -> Detections:
        """Return the same detections in an image that was resized; the masks stay as they are.

        Args:
            old: H and W of the image that the boxes are of.
            new: H and W of the image that they are to be of.
        """
        scale = np.array([new[1] / old[1], new[0] / old[0]] * 2, dtype=np.float32)
        return replace(self, boxes=self.boxes * scale, size=new)


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

    Raises:
        UserError: a box or score is not a finite number.
    """
    if not (instances.bboxes.isfinite().all() and instances.scores.isfinite().all()):
        raise UserError(
            "the detector returned boxes or scores that are not finite numbers: its weights are "
            "damaged, or their training diverged"
        )
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


def _enlarged(mask: np.ndarray, size: tuple[int, int] | None) -> np.ndarray:
    """Return a mask (h, w) bool with H x W pixels: as it is, or each pixel repeated."""
    if size is None or mask.shape == size:
        return mask
    # column by column in memory, as RLEs count
    columns = np.ascontiguousarray(mask.T, dtype=np.uint8)
    return cv2.resize(columns, size, interpolation=cv2.INTER_NEAREST).T
