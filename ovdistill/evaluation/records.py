"""Detections as flat arrays: what a detector's output becomes before it is evaluated.

Arrays instead of one dict a detection: LVIS val has up to 19,809 x 300 of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ovdistill.core.masks import Rle, encode_masks


@dataclass(frozen=True)
class Records:
    """n detections, of one image or of a whole data set.

    Attributes:
        image_ids: (n,) int64.
        category_ids: (n,) int64, the annotation file's ids.
        scores: (n,) float64.
        boxes: (n, 4) float64, xywh, absolute pixels of the original image.
        rles: n compressed masks of the original image's size, or None without masks.
    """

    image_ids: np.ndarray
    category_ids: np.ndarray
    scores: np.ndarray
    boxes: np.ndarray
    rles: list[Rle] | None = None

    def __len__(self) -> int:
        return len(self.scores)

    def table(self) -> np.ndarray:
        """(n, 7) float64: image id, x, y, w, h, score, category id."""
        columns = (self.image_ids, self.boxes, self.scores, self.category_ids)
        return np.column_stack(columns).astype(np.float64)

    def dicts(self, metric: str) -> list[dict[str, Any]]:
        """The detections in COCO's result format.

        Args:
            metric: 'bbox' (boxes only) or 'segm' (masks only, so that areas are mask areas).
        """
        shapes = self.boxes.tolist() if metric == "bbox" else self.rles
        key = "bbox" if metric == "bbox" else "segmentation"
        columns = (self.image_ids.tolist(), self.category_ids.tolist(), self.scores.tolist())
        return [
            {"image_id": image_id, "category_id": category_id, "score": score, key: shape}
            for image_id, category_id, score, shape in zip(*columns, shapes, strict=True)
        ]


def image_records(
    data_sample: Mapping[str, Any], cat_ids: Sequence[int], with_masks: bool
) -> Records:
    """One image's detections.

    Args:
        data_sample: 'img_id' and 'pred_instances' (bboxes (n, 4) xyxy original pixels, scores (n,),
            labels (n,) int, and with ``with_masks`` masks, see ``encode_masks``).
        cat_ids: category id of every label.
        with_masks: whether masks are wanted.

    Raises:
        ValueError: the masks are not of the image's size.
    """
    instances = data_sample["pred_instances"]
    boxes = instances["bboxes"].detach().cpu().double().numpy().reshape(-1, 4)
    boxes = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    labels = instances["labels"].cpu().numpy()
    rles = encode_masks(instances["masks"]) if with_masks else None
    if rles and "ori_shape" in data_sample:
        got, expected = tuple(rles[0]["size"]), tuple(data_sample["ori_shape"][:2])
        if got != expected:
            raise ValueError(f"masks of {got} (height, width) for an image of {expected}")
    return Records(
        image_ids=np.full(len(boxes), data_sample["img_id"], dtype=np.int64),
        category_ids=np.asarray(cat_ids, dtype=np.int64)[labels],
        scores=instances["scores"].detach().cpu().double().numpy(),
        boxes=boxes,
        rles=rles,
    )


def concatenate(parts: Sequence[Records], with_masks: bool) -> Records:
    """All images' detections in one; ``parts`` may be empty."""
    return Records(
        image_ids=np.concatenate([np.zeros(0, np.int64), *(p.image_ids for p in parts)]),
        category_ids=np.concatenate([np.zeros(0, np.int64), *(p.category_ids for p in parts)]),
        scores=np.concatenate([np.zeros(0), *(p.scores for p in parts)]),
        boxes=np.concatenate([np.zeros((0, 4)), *(p.boxes for p in parts)]),
        rles=[rle for p in parts for rle in p.rles or ()] if with_masks else None,
    )
