"""Makes the label map of a data set's record, whatever it is stored as."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ovdistill.core.images import ImageError
from ovdistill.core.masks import decode_mask
from ovdistill.segmentation.data.label_map import (
    CROWD,
    read_label_map,
    read_segment_ids,
    values_to_rows,
)


def load_maps(
    record: Mapping[str, Any], size: tuple[int, int] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Load the label map of a record, and its segment numbers.

    Args:
        record: of a ``SegmentationDataset``, with ``label_lookup``. It has ``seg_map_path`` alone
            (a file of values), ``segments_info`` beside it (COCO's panoptic format), or
            ``segments`` and ``stuff_value`` (masks in front of one background).
        size: height and width of the image, in pixels; None if it was not read.

    Returns:
        (H, W) int32 rows of the vocabulary, ``UNLABELLED`` or ``IGNORE``, and (H, W) int32 segment
        numbers, all 0 where the file has none.

    Raises:
        UserError: no label map, a damaged one, one of another size than the image, or one with
            values that its label table does not have.
    """
    place = record.get("seg_map_path") or record["img_path"]
    try:
        if "segments" in record:
            size = size or (record["height"], record["width"])
            values, segments = _of_masks(record["segments"], record["stuff_value"], size)
        elif "segments_info" in record:
            values, segments = _of_ids(read_segment_ids(place, size), record["segments_info"])
        else:
            values = read_label_map(place, size)
            segments = np.zeros_like(values)
    except ImageError as error:
        image = f" (its image is {record['img_path']})" if "img_path" in record else ""
        raise ImageError(place, error.problem + image) from None
    return values_to_rows(values, record["label_lookup"], place), segments


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
