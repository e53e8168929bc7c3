"""What to search for: a text, or an example.

Shapes: Q queries, D embedding width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.core.files import hash_file
from ovdistill.core.images import read_image
from ovdistill.inference.asked import Text
from ovdistill.inference.detector import Detector
from ovdistill.inference.prompts import parse_prompts
from ovdistill.inference.search.find_regions import find_regions
from ovdistill.store import Regions
from ovdistill.store.index_files import IndexHeader
from ovdistill.vocabulary import Vocabulary

Box = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Query:
    """Embeddings to search for, of which the one that fits a region best counts.

    Attributes:
        names: what each of them stands for.
        embeddings: (Q, D) float32.
        notes: what was changed in what a user asked for.
    """

    names: tuple[str, ...]
    embeddings: Tensor
    notes: tuple[str, ...] = ()


def query_of_text(text: Text, detector: Detector, header: IndexHeader) -> Query:
    """Return the query of a text, embedded by the prompts of the detector.

    Args:
        text: see ``Detector.set_vocabulary``. All names and all their phrases count; negatives,
            which compete in ``Detector.predict``, are ignored, and a note says so.
        detector: the one of the index, or another one of the same teacher.
        header: of the index.

    Raises:
        UserError: no text, or another teacher than the index's.
    """
    if isinstance(text, Vocabulary):
        _check_teacher(text, header)
        return Query(text.names, text.embeddings)
    prompts = parse_prompts(text).in_words_of(detector.known.names if detector.known else ())
    rows = detector.encode_texts(prompts.rows)
    _check_teacher(rows, header)
    notes = prompts.notes
    if prompts.negatives:
        negatives = ", ".join(prompts.negatives)
        notes += (f"no name competes in a search: without the negatives {negatives}",)
    return Query(prompts.rows, rows.embeddings, notes)


def _check_teacher(texts: Vocabulary, header: IndexHeader) -> None:
    """Raise UserError unless texts are embedded by the teacher of an index."""
    if not texts.teacher.is_same(header.teacher_id):
        raise UserError(
            f"the text is embedded by teacher {texts.teacher}; the index is in the space of "
            f"teacher {header.teacher_id}. Expected the same: --model {header.model}"
        )


def query_of_example(
    image: str | Path | np.ndarray,
    box: Sequence[float] | None,
    detector: Detector,
    header: IndexHeader,
) -> tuple[Query, Box]:
    """Return the query of an object in an image, and the box of the region that stands for it.

    Args:
        image: the file, in the index or not; or (H, W, 3) uint8 RGB.
        box: xyxy, absolute pixels, around the object; by default the region of the image that is
            an object most probably.
        detector: the one of the index.
        header: of the index.

    Raises:
        UserError: an image that cannot be read, a box without area in it, an image without
            regions, or another detector than the index's.
    """
    weights = detector.files.weights
    if weights is None or hash_file(weights) != header.detector_hash:
        raise UserError(
            f"an example is embedded by the detector {weights}; the index was made by another one: "
            f"expected --model {header.model}, weights {header.detector_hash}"
        )
    if isinstance(image, np.ndarray):
        pixels, name = image, "the image"
    else:
        pixels, name = read_image(image), Path(image).name
    boxes = None if box is None else [_checked(box, pixels.shape[:2])]
    (regions,) = find_regions(detector, [pixels], 1, boxes)
    if not len(regions):
        raise UserError(f"the detector finds no region in {name}; expected an image of an object")
    return _query_of_region(name, regions)


def _query_of_region(name: str, regions: Regions) -> tuple[Query, Box]:
    left, top, right, bottom = regions.boxes[0].tolist()
    return Query((name,), regions.embeddings[:1]), (left, top, right, bottom)


def _checked(box: Sequence[float], size: tuple[int, ...]) -> Tensor:
    """Return a box (1, 4) clipped to an image of (height, width); raise UserError if it is none."""
    height, width = size
    clipped = torch.tensor([box], dtype=torch.float32).clamp(min=0)
    clipped = torch.minimum(clipped, torch.tensor([[width, height] * 2]))
    left, top, right, bottom = clipped[0].tolist()
    if not (right - left >= 1 and bottom - top >= 1):
        raise UserError(
            f"got box {','.join(f'{v:g}' for v in box)} of an image of {width} x {height} pixels; "
            "expected left,top,right,bottom in its pixels, with an area inside of it"
        )
    return clipped
