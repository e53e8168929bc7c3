"""Draws examples of a test run: the truth beside what was found, around one object."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw

from ovdistill.core.errors import UserError
from ovdistill.core.images import read_image
from ovdistill.core.masks import decode_mask
from ovdistill.datasets.annotations import Record
from ovdistill.evaluation.analysis.analyse import Analysis
from ovdistill.evaluation.analysis.errors import BACKGROUND
from ovdistill.evaluation.analysis.examples import Example, choose_examples
from ovdistill.evaluation.analysis.matching import NONE
from ovdistill.evaluation.report_page.gallery import DrawnExample, Gallery
from ovdistill.inference.detections import Detections
from ovdistill.inference.large_images import reduce_image
from ovdistill.inference.truth import read_truth
from ovdistill.visualization.drawing import draw_detections, enlargement
from ovdistill.visualization.palette import BLACK, WHITE
from ovdistill.visualization.panels import side_by_side

SIDE = 288  # pixels of a drawing
CONTEXT = 2.4  # side of what is shown, in sides of the object
LEAST_CONTEXT = 96  # pixels
CLEAR = 0.3  # score of a false positive that is drawn beside the example
AROUND = 5  # pixels of the drawing between what an example is about and its frame
DASH = 6  # pixels of the frame that are black or white
QUALITY = 82  # of the WebP files
Window = tuple[int, int, int, int]  # xyxy, pixels


def draw_gallery(analysis: Analysis, images: Path, count: int) -> Gallery:
    """Draw examples of a test run.

    Args:
        analysis: of the run.
        images: the folder that the file names of the annotation file start from.
        count: how many of each kind.
    """
    chosen = choose_examples(
        analysis.found, analysis.scene, analysis.errors, analysis.naming, count
    )
    artist = _Artist(analysis, images)
    return {kind: [artist.draw(one) for one in examples] for kind, examples in chosen.items()}


class _Artist:
    """Draws the examples of one run."""

    def __init__(self, analysis: Analysis, images: Path) -> None:
        self.analysis = analysis
        self.images = images
        self.names = tuple(row.name for row in analysis.report.classes)
        self.records = {record["id"]: record for record in analysis.annotations.images}
        boxes, masks = (analysis.files.detections.get(kind) for kind in ("bbox", "segm"))
        paired = (
            boxes is not None
            and masks is not None
            and np.array_equal(boxes.image_ids, masks.image_ids)
            and np.array_equal(boxes.category_ids, masks.category_ids)
            and np.array_equal(boxes.scores, masks.scores)
        )
        self.rles = masks.rles if paired and masks is not None else None

    def draw(self, example: Example) -> DrawnExample:
        """Draw an example; an image that cannot be read is none."""
        record = self.records[int(self.analysis.scene.image_ids[example.image])]
        path, caption = self.images / record["file_name"], self.caption(example)
        try:
            image = read_image(path)
        except UserError:
            return DrawnExample(caption, str(path), None)
        size = (image.shape[0], image.shape[1])
        window = self.window(example, size)
        truth = _cut(self.truth(record), window)
        found = _cut(self.found(example, size), window)
        x1, y1, x2, y2 = window
        crop = image[y1:y2, x1:x2]
        small = reduce_image(crop, SIDE * SIDE)
        factor = enlargement(small, SIDE)
        scale = factor * small.shape[1] / crop.shape[1]
        box = (self.box(example) - (x1, y1, x1, y1)) * scale
        paper = _mark(_enlarged(small, factor), box)  # labels lie on the frame
        truth, found = (_resized(part, crop, small, factor) for part in (truth, found))
        panels = {
            "truth": draw_detections(paper, truth, (), min_side=SIDE, show_scores=False),
            "found": draw_detections(paper, found, (), min_side=SIDE),
        }
        file = io.BytesIO()
        Image.fromarray(side_by_side(panels)).save(file, "webp", quality=QUALITY)
        return DrawnExample(caption, str(path), file.getvalue())

    def caption(self, example: Example) -> str:
        """Return what an example shows."""
        found, truth = self.analysis.found, self.analysis.scene.truth
        called = ""
        if example.found != NONE:
            name, score = self.names[found.labels[example.found]], found.scores[example.found]
            called = f"{name} {score:.2f}"
        if example.truth == NONE:
            return f"{called}, where nothing is labelled"
        own = self.names[truth.labels[example.truth]]
        if not called:
            return f"{own}, missed"
        return called if called.startswith(f"{own} ") else f"{own}, called {called}"

    def box(self, example: Example) -> np.ndarray:
        """Return the (4,) box of the object, or of the detection where there is none."""
        if example.truth == NONE:
            return self.analysis.found.boxes[example.found]
        return self.analysis.scene.truth.boxes[example.truth]

    def window(self, example: Example, size: tuple[int, int]) -> Window:
        """Return the part of an image of H x W pixels that is shown, around the example."""
        box = self.box(example)
        height, width = size
        centre = (box[:2] + box[2:]) / 2
        side = max(CONTEXT * float((box[2:] - box[:2]).max()), LEAST_CONTEXT)
        spans = []
        for middle, most in zip(centre.tolist(), (width, height), strict=True):
            length = min(side, most)
            start = min(max(middle - length / 2, 0), most - length)
            spans.append((int(start), int(np.ceil(start + length))))
        (x1, x2), (y1, y2) = spans
        return x1, y1, min(x2, width), min(y2, height)

    def truth(self, record: Record) -> Detections:
        """Return the objects of an image."""
        columns = {int(number): k for k, number in enumerate(self.analysis.scene.cat_ids)}
        annotations = self.analysis.annotations.by_image.get(record["id"], [])
        instances = [
            _instance(one, columns[one["category_id"]])
            for one in annotations
            if one["category_id"] in columns
        ]
        return read_truth({**record, "instances": instances}, self.names)

    def found(self, example: Example, size: tuple[int, int]) -> Detections:
        """Return what the objects of an image are called, clear false positives, and the example.

        Args:
            example: of the image.
            size: its H and W.
        """
        found, naming = self.analysis.found, self.analysis.naming
        low, high = np.searchsorted(found.images, [example.image, example.image + 1])
        own = np.arange(low, high)
        clear = (self.analysis.errors.kinds[own] == BACKGROUND) & (found.scores[own] >= CLEAR)
        shown = own[np.isin(own, [example.found, *naming.namers]) | clear]
        labels = found.labels[shown]
        masks = None
        if self.rles is not None:
            masks = np.zeros((len(shown), *size), dtype=bool)
            for mask, row in zip(masks, found.rows[shown], strict=True):
                mask[:] = decode_mask(self.rles[row], size)
        return Detections(
            boxes=found.boxes[shown].astype(np.float32),
            scores=found.scores[shown].astype(np.float32),
            labels=labels,
            names=tuple(self.names[label] for label in labels),
            masks=masks,
        )


def _instance(annotation: Mapping[str, Any], label: int) -> dict[str, Any]:
    """Return an annotation as mmdet's data sets have it."""
    x, y, w, h = annotation["bbox"]
    return dict(
        bbox=[x, y, x + w, y + h],
        bbox_label=label,
        ignore_flag=annotation["iscrowd"],
        mask=annotation.get("segmentation"),
    )


def _enlarged(image: np.ndarray, factor: int) -> np.ndarray:
    size = (image.shape[1] * factor, image.shape[0] * factor)
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))


def _mark(drawing: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Return a drawing with a dashed frame around a box (4,) xyxy in its pixels."""
    image = Image.fromarray(drawing)
    pen = ImageDraw.Draw(image)
    x1, y1, x2, y2 = (box + (-AROUND, -AROUND, AROUND, AROUND)).tolist()
    corners = [(x1, y1), (x2, y1), (x2, y2), (x1, y2), (x1, y1)]
    for start, end in pairwise(corners):
        length = max(abs(end[0] - start[0]), abs(end[1] - start[1]))
        along = np.array(end) - start
        for number, begin in enumerate(np.arange(0, length, DASH)):
            stop = min(begin + DASH, length)
            line = [*(start + along * begin / length), *(start + along * stop / length)]
            pen.line(line, fill=WHITE if number % 2 else BLACK, width=2)
    return np.asarray(image)


def _cut(detections: Detections, window: Window) -> Detections:
    """Return the detections whose middle is in a window, in its pixels."""
    x1, y1, x2, y2 = window
    middle = (detections.boxes[:, :2] + detections.boxes[:, 2:]) / 2
    inside = ((middle >= (x1, y1)) & (middle <= (x2, y2))).all(axis=1)
    kept = detections[inside]
    masks = None if kept.masks is None else kept.masks[:, y1:y2, x1:x2]
    offset = np.array([x1, y1, x1, y1], dtype=np.float32)
    return replace(kept, boxes=kept.boxes - offset, masks=masks, size=(y2 - y1, x2 - x1))


def _resized(
    detections: Detections, image: np.ndarray, reduced: np.ndarray, factor: int
) -> Detections:
    """Return the detections in an image that was reduced, then enlarged by a whole factor.

    Their masks have the size of the reduced one.
    """
    new = (reduced.shape[0], reduced.shape[1])
    old = (image.shape[0], image.shape[1])
    moved = detections.moved(old, (new[0] * factor, new[1] * factor))
    if moved.masks is None or moved.masks.shape[1:] == new:
        return moved
    masks = np.zeros((len(moved), *new), dtype=bool)
    for small, mask in zip(masks, moved.masks, strict=True):
        pixels = mask.astype(np.uint8) * 255
        small[:] = cv2.resize(pixels, new[::-1], interpolation=cv2.INTER_AREA) > 127
    return replace(moved, masks=masks)
