"""The labelled objects of the tested images, and the detections in them, as flat arrays.

Shapes: n detections, G objects, K classes, I images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ovdistill.datasets.annotations import Annotations
from ovdistill.evaluation.records import Records


@dataclass(frozen=True, eq=False)
class Truth:
    """G labelled objects.

    Attributes:
        images: (G,) int64, indices of images.
        labels: (G,) int64, indices of classes.
        boxes: (G, 4) float64, xyxy, absolute pixels of the original image.
        crowd: (G,) bool: a group of objects, in which detections are neither right nor wrong.
    """

    images: np.ndarray
    labels: np.ndarray
    boxes: np.ndarray
    crowd: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Found:
    """n detections, by image, the best of an image first.

    Attributes:
        images: (n,) int64, indices of images.
        labels: (n,) int64, indices of classes.
        scores: (n,) float64.
        boxes: (n, 4) float64, xyxy, absolute pixels of the original image.
        rows: (n,) int64, the place of each in the records that were read.
    """

    images: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    boxes: np.ndarray
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True, eq=False)
class Scene:
    """What the tested images show.

    Attributes:
        image_ids: (I,) int64, sorted.
        cat_ids: (K,) int64, sorted.
        is_base: (K,) bool.
        truth: the objects of these images and classes.
        checked: (I, K) bool, the classes that an image was searched for by the people who labelled
            it: all in COCO. Detections of other classes do not count.
        complete: (I, K) bool, False where only some objects of a class are labelled, so that a
            detection beside them does not count.
    """

    image_ids: np.ndarray
    cat_ids: np.ndarray
    is_base: np.ndarray
    truth: Truth
    checked: np.ndarray
    complete: np.ndarray

    @property
    def positives(self) -> np.ndarray:
        """Return the (K,) numbers of objects that should be found."""
        counted = self.truth.labels[~self.truth.crowd]
        return np.bincount(counted, minlength=len(self.cat_ids))


def make_scene(
    annotations: Annotations,
    image_ids: Sequence[int],
    cat_ids: Sequence[int],
    is_base: Sequence[bool],
    *,
    federated: bool,
) -> Scene:
    """Return the objects of some images and classes.

    Args:
        annotations: the annotation file.
        image_ids: the images that were tested.
        cat_ids: K category ids, sorted.
        is_base: K flags, True = base.
        federated: every image was searched for some of the classes only, as in LVIS.
    """
    images, classes = np.sort(np.asarray(image_ids)), np.asarray(cat_ids)
    rows = {number: row for row, number in enumerate(images.tolist())}
    columns = {number: column for column, number in enumerate(classes.tolist())}
    chosen = [
        record
        for record in annotations.annotations
        if record["image_id"] in rows and record["category_id"] in columns
    ]
    boxes = np.array([record["bbox"] for record in chosen], dtype=np.float64).reshape(-1, 4)
    truth = Truth(
        images=np.array([rows[record["image_id"]] for record in chosen], dtype=np.int64),
        labels=np.array([columns[record["category_id"]] for record in chosen], dtype=np.int64),
        boxes=to_corners(boxes),
        crowd=np.array([bool(record["iscrowd"]) for record in chosen], dtype=bool),
    )
    checked = np.full((len(images), len(classes)), not federated)
    complete = np.ones_like(checked)
    if federated:
        checked[truth.images, truth.labels] = True
        for image in annotations.images:
            if (row := rows.get(image["id"])) is not None:
                checked[row, _columns(image, "neg_category_ids", columns)] = True
                complete[row, _columns(image, "not_exhaustive_category_ids", columns)] = False
    return Scene(images, classes, np.asarray(is_base, dtype=bool), truth, checked, complete)


def make_found(records: Records, scene: Scene, max_dets: int, *, per_class: bool) -> Found:
    """Return the detections that an evaluation counts, the best of each image first.

    Args:
        records: detections in the images and of the classes of the scene.
        scene: what the images show.
        max_dets: how many count.
        per_class: of each image and class, as in COCO; else of each image, as in LVIS.
    """
    images = np.searchsorted(scene.image_ids, records.image_ids)
    labels = np.searchsorted(scene.cat_ids, records.category_ids)
    groups = images * len(scene.cat_ids) + labels if per_class else images
    best_first = np.lexsort((-records.scores, groups))
    kept = best_first[rank_in_group(groups[best_first]) < max_dets]
    rows = kept[np.lexsort((-records.scores[kept], images[kept]))]
    boxes = to_corners(records.boxes[rows])
    return Found(images[rows], labels[rows], records.scores[rows], boxes, rows)


def rank_in_group(groups: np.ndarray) -> np.ndarray:
    """Return 0, 1, 2, ... for the members of each group.

    Args:
        groups: (n,) the group of each; those of a group stand together.
    """
    places = np.arange(len(groups))
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    return places - np.repeat(starts, np.diff(starts, append=len(groups)))


def to_corners(boxes: np.ndarray) -> np.ndarray:
    """Return (n, 4) xywh boxes as xyxy."""
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def _columns(image: Mapping[str, Any], key: str, columns: Mapping[int, int]) -> list[int]:
    return [columns[number] for number in image.get(key, ()) if number in columns]
