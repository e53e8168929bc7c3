"""Detections as YOLO's labels: a text file for each image, and a data.yaml for the names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.core.files import write_text
from ovdistill.inference.formats.parts import check_masks, class_numbers, number_names, size_of

if TYPE_CHECKING:
    from ovdistill.inference.detections import Detections


def yolo_lines(
    detections: Detections, class_ids: Mapping[str, int] | None = None, *, masks: bool = False
) -> str:
    """Return the content of an image's label file.

    Args:
        detections: n detections.
        class_ids: the number of each name; by default the queries count from 0.
        masks: outlines instead of boxes, see ``outlines.mask_outline``. An object whose mask is
            empty has the outline of its box.

    Returns:
        n lines of numbers in 0..1, relative to the image: "class x y width height" with the middle
        of the box, or "class x1 y1 x2 y2 ..." with the points of the outline.

    Raises:
        UserError: the size of the image is unknown, a name without a number, or no masks.
    """
    height, width = size_of(detections)
    if masks:
        check_masks(detections)
    shapes = _outlines(detections) if masks else _boxes(detections)
    numbers = class_numbers(detections, class_ids)
    lines = []
    for number, points in zip(numbers, shapes, strict=True):
        values = (points / (width, height)).clip(0, 1).ravel()
        lines.append(f"{number} {' '.join(f'{value:.6f}' for value in values)}\n")
    return "".join(lines)


def _boxes(detections: Detections) -> np.ndarray:
    """Return (n, 2, 2): middle, and width and height, of each box."""
    height, width = size_of(detections)
    corners = detections.boxes.astype(float).clip(0, (width, height) * 2).reshape(-1, 2, 2)
    return np.stack([corners.mean(axis=1), corners[:, 1] - corners[:, 0]], axis=1)


def _outlines(detections: Detections) -> Iterator[np.ndarray]:
    from ovdistill.inference.formats.outlines import mask_outline

    for mask, (x1, y1, x2, y2) in zip(detections.full_masks(), detections.boxes, strict=True):
        outline = mask_outline(mask)
        yield outline if len(outline) else np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])


def data_yaml(names: Mapping[str, int]) -> str:
    """Return the content of a data.yaml, which names the classes.

    It has no ``path``, so that its own folder is that of the data set, wherever it is read from.

    Args:
        names: the number of each name.
    """
    import yaml

    content: dict[str, Any] = {"train": "images", "val": "images"}
    content["names"] = {number: name for name, number in names.items()}
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def write_yolo(
    folder: str | os.PathLike[str],
    found: Iterable[Detections],
    *,
    masks: bool = False,
    image_folder: str | os.PathLike[str] | None = None,
) -> None:
    """Write the detections in many images as a data set: ``labels/*.txt`` and ``data.yaml``.

    YOLO looks for the labels of images/a/1.jpg in labels/a/1.txt: copy or link the images to
    ``folder/images``.

    Args:
        folder: the folder of the data set.
        found: the detections of each image, which name its file.
        masks: outlines instead of boxes, see ``yolo_lines``.
        image_folder: the folder of the images, whose sub-folders the labels have too; by default
            the labels have none.

    Raises:
        UserError: detections that do not name their image or its size, two images of one name
            (their labels would be one file), or a path that cannot be written to.
    """
    found = list(found)
    numbers = number_names(found)
    files: dict[Path, Detections] = {}
    for detections in found:
        file = Path(folder, "labels", _label_file(detections, image_folder))
        if file in files:
            raise UserError(f"two images have the labels {file}: {files[file].path} and another")
        files[file] = detections
    for file, detections in files.items():
        write_text(file, yolo_lines(detections, numbers, masks=masks))
    write_text(Path(folder, "data.yaml"), data_yaml(numbers))


def _label_file(detections: Detections, image_folder: str | os.PathLike[str] | None) -> Path:
    """Return the path of an image's labels below the folder of labels."""
    if detections.path is None:
        raise UserError("these detections name no image file: dataclasses.replace(found, path=...)")
    path = Path(detections.path)
    below = Path(path.name if image_folder is None else os.path.relpath(path, image_folder))
    if os.pardir in below.parts:
        raise UserError(f"{path} is not in the folder of images {image_folder}")
    return below.with_suffix(".txt")
