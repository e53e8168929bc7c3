"""Makes the label map of a data set's record, whatever it is stored as."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.core.images import TURNED, UPRIGHT, ImageError, read_orientation
from ovdistill.core.masks import decode_mask
from ovdistill.segmentation.data.label_map import (
    CROWD,
    VOID,
    read_label_map,
    read_segment_ids,
    values_to_rows,
)

SAVE_UPRIGHT = "expected an image as its label map has it: save it so, without an orientation"


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
        UserError: no label map, a damaged one, one of another size than the image, one with
            values that its label table or its segments do not have, or an image that its EXIF data
            move.
    """
    place = record.get("seg_map_path") or record["img_path"]
    try:
        if "segments" in record:
            size = size or (record["height"], record["width"])
            values, segments = _of_masks(record["segments"], record["stuff_value"], size)
        elif "segments_info" in record:
            ids = read_segment_ids(place, size)
            values, segments = _of_ids(ids, record["segments_info"], place)
        else:
            values = read_label_map(place, size)
            segments = np.zeros_like(values)
    except ImageError as error:
        image = _image_of(record)
        said = f" (its image is {image})" if image else ""
        raise ImageError(place, error.problem + said) from None
    if "segments" not in record:
        _check_upright(record, values.shape)
    return values_to_rows(values, record["label_lookup"], place), segments


def _image_of(record: Mapping[str, Any]) -> str:
    """Return the path of a record's image for a message, and whether its EXIF data turn it."""
    path = record.get("img_path")
    turned = path and _orientation(path) in TURNED
    return f"{path}, which its EXIF data turn; {SAVE_UPRIGHT}" if turned else path or ""


def _check_upright(record: Mapping[str, Any], shape: tuple[int, ...]) -> None:
    """Raise UserError for an image that EXIF data move, if its size does not tell how its map is.

    The image is made upright when it is read. Its label map was drawn on the upright image or on
    the pixels of the file; where both have one size, nobody knows on which.
    """
    path = record.get("img_path")
    orientation = _orientation(path) if path else UPRIGHT
    if orientation != UPRIGHT and (orientation not in TURNED or shape[0] == shape[1]):
        raise UserError(
            f"the EXIF data of image {path} turn or mirror it (orientation {orientation}), and its "
            f"size does not tell whether its label map is that of the upright image; {SAVE_UPRIGHT}"
        )


def _orientation(path: str) -> int:
    try:
        return read_orientation(path)
    except ImageError:  # label maps are scored without their images too
        return UPRIGHT


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


def _of_ids(
    ids: np.ndarray, infos: list[dict[str, int]], place: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return values and segment numbers of COCO's segment ids; ``VOID`` is no segment.

    Raises:
        UserError: ids that the file of the segments does not have, as panopticapi refuses them.
    """
    known, places, counts = np.unique(ids, return_inverse=True, return_counts=True)
    by_id = {info["id"]: (number, info) for number, info in enumerate(infos)}
    pixels = dict(zip(known.tolist(), counts.tolist(), strict=True))
    if strange := [one for one in pixels if one != VOID and one not in by_id]:
        listed = ", ".join(f"{one} ({pixels[one]:,} pixels)" for one in strange[:5])
        raise UserError(
            f"panoptic map {place} has {len(strange)} segments that its segments_info lacks: "
            f"{listed}. Expected the maps that belong to the JSON file, unchanged, or 0 for no "
            "segment."
        )
    values = np.zeros(len(known), np.int32)
    segments = np.zeros(len(known), np.int32)
    for index, segment_id in enumerate(known.tolist()):
        if segment_id in by_id:
            number, info = by_id[segment_id]
            values[index] = info["category_id"]
            segments[index] = CROWD if info.get("iscrowd") else number
    return values[places].reshape(ids.shape), segments[places].reshape(ids.shape)
