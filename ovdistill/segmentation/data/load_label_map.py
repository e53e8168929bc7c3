"""The transform that loads the label map of an image."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.transforms.base import BaseTransform
from mmdet.registry import TRANSFORMS

from ovdistill.core.images import ImageError
from ovdistill.core.masks import decode_mask
from ovdistill.segmentation.data.label_map import (
    CROWD,
    read_label_map,
    read_segment_ids,
    values_to_rows,
)


@TRANSFORMS.register_module()
class LoadLabelMap(BaseTransform):
    """Load a label map, with rows of the vocabulary as its values.

    Placed before the geometric transforms it follows them, which training needs. Placed behind
    them it keeps the size of the image's file, which testing needs.

    Args:
        with_segments: load the segment numbers of a panoptic truth too.
    """

    def __init__(self, *, with_segments: bool = False) -> None:
        self.with_segments = with_segments

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add ``gt_seg_map`` (H, W) int32, rows or ``IGNORE``.

        With segments it is (H, W, 2), whose second channel are the segment numbers: mmdet's
        transforms move one map, whatever its channels are.

        The map comes from what the record has: ``seg_map_path`` alone (a file of values), with
        ``segments_info`` beside it (COCO's panoptic format), or ``segments`` (masks).

        Raises:
            UserError: no label map, a damaged one, one of another size than the image, or one with
                values that its label table does not have.
        """
        size = results["ori_shape"]
        place = results.get("seg_map_path", results["img_path"])
        try:
            if "segments" in results:
                values, segments = _of_masks(results["segments"], results["stuff_value"], size)
            elif "segments_info" in results:
                ids = read_segment_ids(place, size)
                values, segments = _of_ids(ids, results["segments_info"])
            else:
                values = read_label_map(place, size)
                segments = np.zeros_like(values)
        except ImageError as error:
            raise ImageError(
                place, f"{error.problem} (its image is {results['img_path']})"
            ) from None
        rows = values_to_rows(values, results["label_lookup"], place)
        results["gt_seg_map"] = np.stack([rows, segments], -1) if self.with_segments else rows
        return results


def _of_masks(
    masks: list[tuple[int, Any]], stuff_value: int, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return values and segment numbers of masks that lie on one background, the first in front."""
    values = np.full(size, stuff_value, np.int32)
    segments = np.zeros(size, np.int32)
    for number in reversed(range(len(masks))):
        value, rle = masks[number]
        mask = decode_mask(rle, size)
        values[mask], segments[mask] = value, number + 1
    return values, segments


def _of_ids(ids: np.ndarray, infos: list[dict[str, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return values and segment numbers of COCO's segment ids; an id of no segment is ignored."""
    known, places = np.unique(ids, return_inverse=True)
    by_id = {info["id"]: (number, info) for number, info in enumerate(infos)}
    values = np.zeros(len(known), np.int32)
    segments = np.zeros(len(known), np.int32)
    for index, segment_id in enumerate(known.tolist()):
        if segment_id in by_id:
            number, info = by_id[segment_id]
            values[index] = info["category_id"]
            segments[index] = CROWD if info.get("iscrowd") else number
    return values[places].reshape(ids.shape), segments[places].reshape(ids.shape)
