"""Detections as flat arrays, the form in which they are collected and evaluated.

Arrays rather than a dict for each detection, since LVIS val has up to 19,809 x 300 detections.
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

    def take(self, rows: np.ndarray) -> Records:
        """Return some of the detections.

        Args:
            rows: (m,) int, their positions.
        """
        return Records(
            image_ids=self.image_ids[rows],
            category_ids=self.category_ids[rows],
            scores=self.scores[rows],
            boxes=self.boxes[rows],
            rles=None if self.rles is None else [self.rles[row] for row in rows],
        )

    def table(self) -> np.ndarray:
        """Return (n, 7) float64: image id, x, y, w, h, score, category id."""
        columns = (self.image_ids, self.boxes, self.scores, self.category_ids)
        return np.column_stack(columns).astype(np.float64)

    def dicts(self, metric: str) -> list[dict[str, Any]]:
        """Return the detections in COCO's result format.

        Args:
            metric: 'bbox' (boxes only), or 'segm' (masks only, so that evaluators take the area of
                the mask), which needs ``rles``.
        """
        shapes: list[Any] | None = self.boxes.tolist() if metric == "bbox" else self.rles
        assert shapes is not None, "these detections have no masks"
        key = "bbox" if metric == "bbox" else "segmentation"
        columns = (self.image_ids.tolist(), self.category_ids.tolist(), self.scores.tolist())
        return [
            {"image_id": image_id, "category_id": category_id, "score": score, key: shape}
            for image_id, category_id, score, shape in zip(*columns, shapes, strict=True)
        ]


def image_records(
    data_sample: Mapping[str, Any], cat_ids: Sequence[int], *, with_masks: bool
) -> Records:
    """Return the detections of one image.

    Args:
        data_sample: a detector's test output, with 'img_id' and 'pred_instances': ``bboxes`` (n, 4)
            xyxy, absolute pixels of the original image, ``scores`` (n,), ``labels`` (n,) int, and
            ``masks`` in a form that ``encode_masks`` takes if ``with_masks`` is True.
        cat_ids: the category id of each label.
        with_masks: keep the masks too.

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


def concatenate(parts: Sequence[Records], *, with_masks: bool) -> Records:
    """Join the detections of several images, or of none.

    Args:
        parts: the detections of each image.
        with_masks: keep the masks too; every part must have them.
    """
    return Records(
        image_ids=np.concatenate([np.zeros(0, np.int64), *(p.image_ids for p in parts)]),
        category_ids=np.concatenate([np.zeros(0, np.int64), *(p.category_ids for p in parts)]),
        scores=np.concatenate([np.zeros(0), *(p.scores for p in parts)]),
        boxes=np.concatenate([np.zeros((0, 4)), *(p.boxes for p in parts)]),
        rles=[rle for p in parts for rle in p.rles or ()] if with_masks else None,
    )


def best_of_images(records: Records, most: int) -> Records:
    """Return the ``most`` best detections of each image, in the order in which they were.

    Of equal scores the first ones are kept, as evaluators do.
    """
    order = np.lexsort((-records.scores, records.image_ids))  # stable
    image_ids = records.image_ids[order]
    rank = np.arange(len(order)) - np.searchsorted(image_ids, image_ids)
    return records.take(np.sort(order[rank < most]))
