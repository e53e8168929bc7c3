"""Proposals from a file in COCO's result format, checked against the images they are for.

Shapes: P boxes of an image, B boxes of the file.
"""

from __future__ import annotations

import logging
import os
import reprlib
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ovdistill.core.errors import UserError
from ovdistill.core.files import hash_file
from ovdistill.core.json_list import read_json_list
from ovdistill.datasets.annotations.boxes import UNIT_SHARE
from ovdistill.datasets.annotations.ids import image_number
from ovdistill.extraction.images import ImageFile, LoadedImage
from ovdistill.extraction.proposal_source import Proposals, ProposalSource

LOGGER = logging.getLogger(__name__)
EXPECTED = (
    'expected a .json list such as [{"image_id": 1, "bbox": [x, y, width, height], "score": 0.9}]'
)
LARGEST = 1e7  # pixels: no box is that far out or that long
UNIT = 1.0 + 1e-3  # boxes in parts of the image, from 0 to 1, end before this


class FileProposals(ProposalSource):
    """Boxes from a file in COCO's result format.

    Args:
        path: a JSON file with a list of objects with ``image_id``, ``bbox`` [x, y, width, height]
            in absolute pixels of the image, and perhaps ``score`` (1.0 if missing). Rows whose box
            or score is NaN, infinite or beyond ``LARGEST`` are left out, with a warning.

    Raises:
        UserError: no such file, another format, or no row that can be used.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        numbers: dict[Any, int] = {}  # of the ids that came so far
        flat = array("d")  # far smaller than the rows, or a list of as many numbers
        for index, row in enumerate(read_json_list(Path(path), EXPECTED)):
            flat.extend(self._row(index, row, numbers))
        values = np.array(flat).reshape(-1, 6)
        rows = len(values)
        good = (np.abs(values[:, 1:]) < LARGEST).all(axis=1)  # False for NaN too
        if rows and not good.any():
            raise UserError(self._message(f"all {rows} boxes or scores are NaN or too large"))
        if dropped := int((~good).sum()):
            LOGGER.warning(
                "%s: %d of %d boxes are left out: NaN, infinite or beyond %g pixels",
                *(self.path, dropped, rows, LARGEST),
            )
        values = values[good]
        values = values[values[:, 0].argsort(kind="stable")]
        self.provenance = dict(kind="file", source=self.path, hash=hash_file(path))
        self._ids = values[:, 0].astype(np.int64)  # exact, since ids are below 2^53
        corners = values[:, 1:5].astype(np.float32)
        corners[:, 2:] += corners[:, :2]
        self._boxes = torch.from_numpy(corners)
        self._scores = torch.from_numpy(values[:, 5].astype(np.float32))

    def propose(self, images: Sequence[LoadedImage]) -> list[Proposals]:
        """Propose boxes, see ``ProposalSource``; none for an image that is not in the file."""
        wanted = [image.file.image_id for image in images]
        starts, ends = (self._ids.searchsorted(wanted, side).tolist() for side in ("left", "right"))
        return [(self._boxes[a:b], self._scores[a:b]) for a, b in zip(starts, ends, strict=True)]

    def check(self, files: Sequence[ImageFile]) -> None:
        """Compare the file with the images, and say in numbers what does not fit.

        Raises:
            UserError: no box is of any of the images or inside it, or boxes are parts of the image.
        """
        ids = np.array([file.image_id for file in files], dtype=np.int64)
        known = np.isin(self._ids, ids)
        if not known.any():
            raise UserError(
                f"none of the {len(self._ids)} boxes of {self.path} is of one of the {len(files)} "
                f"images: image_id is {self._ids[:1].tolist()} there, {ids[:1].tolist()} in the "
                "annotations. Expected boxes with the image ids of this annotation file."
            )
        boxes = self._boxes.numpy()[known]
        tiny = (boxes <= UNIT).all(axis=1)
        if tiny.sum() >= UNIT_SHARE * len(boxes):
            raise UserError(
                f"{tiny.sum()} of {len(boxes)} boxes of {self.path} end before pixel 1 (the first: "
                f"{_xywh(boxes[tiny][0])}): they are parts of the image. Expected pixels: multiply "
                "them by the width and height of their images."
            )
        inside = self._inside(files)[known]
        if not inside.any():
            raise UserError(
                f"all {len(boxes)} boxes of {self.path} are outside of their images or have no "
                f"area (the first: {_xywh(boxes[0])}). Expected [x, y, width, height] in pixels."
            )
        self._warn(known, inside, int((~np.isin(ids, self._ids)).sum()), len(files))

    def _inside(self, files: Sequence[ImageFile]) -> np.ndarray:
        """Return (B,) bool: the box has an area in its image, as far as its size is known."""
        order = np.argsort([file.image_id for file in files], kind="stable")
        ids = np.array([files[i].image_id for i in order], dtype=np.int64)
        # (N, 2) width and height
        sizes = np.array([(files[i].size or (np.inf, np.inf))[::-1] for i in order], dtype=float)
        own = sizes[ids.searchsorted(self._ids).clip(max=len(ids) - 1)]
        boxes = self._boxes.numpy()
        return (np.minimum(boxes[:, 2:], own) > np.maximum(boxes[:, :2], 0)).all(axis=1)

    def _warn(self, known: np.ndarray, inside: np.ndarray, without: int, images: int) -> None:
        """Say how many boxes and images do not fit, if there are any."""
        found = {
            f"{(~known).sum()} of {len(known)} boxes are of no image": not known.all(),
            f"{(~inside).sum()} of {len(inside)} boxes are outside of their image or have no "
            "area": not inside.all(),
            f"{without} of {images} images have no box": without > 0,
        }
        if problems := [text for text, there in found.items() if there]:
            LOGGER.warning("%s: %s", self.path, "; ".join(problems))

    def _row(self, index: int, row: Any, numbers: dict[Any, int]) -> tuple[float, ...]:
        """Return id, box and score of a row."""
        if not isinstance(row, dict) or not {"image_id", "bbox"} <= row.keys():
            raise UserError(self._message(f"row {index} is {reprlib.repr(row)}"))
        box, score, image_id = row["bbox"], row.get("score", 1.0), row["image_id"]
        if not isinstance(box, list) or len(box) != 4:
            raise UserError(self._message(f"row {index} has the bbox {reprlib.repr(box)}"))
        values = [number for value in (*box, score) if (number := _number(value)) is not None]
        if len(values) < 5:
            got = reprlib.repr([*box, score])
            raise UserError(self._message(f"row {index} has a bbox or score that is {got}"))
        if not isinstance(image_id, (int, float, str)):
            raise UserError(self._message(f"row {index} has image_id {reprlib.repr(image_id)}"))
        key = type(image_id), image_id
        if key not in numbers:
            try:
                numbers[key] = image_number(image_id)
            except UserError as error:
                raise UserError(self._message(f"row {index}: {error}")) from None
        return (numbers[key], *values)

    def _message(self, problem: str) -> str:
        return f"cannot read proposals from {self.path}: {problem}; {EXPECTED}"


def _number(value: Any) -> float | None:
    """Return a number as a float, infinite if it is too large for one; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def _xywh(box: np.ndarray) -> list[float]:
    x0, y0, x1, y1 = (round(float(value), 3) for value in box)
    return [x0, y0, round(x1 - x0, 3), round(y1 - y0, 3)]
