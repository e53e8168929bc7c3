"""Labelled objects of an annotation file, as rows of a vocabulary, beside a store's regions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torchvision.ops import box_convert

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import Annotations
from ovdistill.datasets.annotations.boxes import is_large_enough
from ovdistill.datasets.annotations.stored_images import stored_images
from ovdistill.evaluation.regions.matching import Objects
from ovdistill.store import Regions, TeacherStore
from ovdistill.store.same_images import check_same_images

SEED = 0


def draw_images(ids: Sequence[int], count: int) -> list[int]:
    """Return ``count`` of the ids, or all if they are fewer, drawn always alike, in their order.

    The random state of the process stays as it is.
    """
    generator = torch.Generator().manual_seed(SEED)
    chosen = torch.randperm(len(ids), generator=generator)[:count].sort().values
    return [ids[row] for row in chosen.tolist()]


def shared_images(store: TeacherStore, found: Annotations) -> list[int]:
    """Return the ids of the images that are in both, in the order of the annotation file.

    Raises:
        UserError: there is none, or they are other images in the store.
    """
    there = {*store.image_ids}
    ids = [image["id"] for image in found.images if image["id"] in there]
    if not ids:
        raise UserError(
            f"none of the {len(found.images)} images of {found.path} is in store {store.folder} of "
            f"{len(there)} images; expected the annotation file that the store was made for"
        )
    check_same_images(store, stored_images(found.images), found.path)
    return ids


def regions_and_objects(
    store: TeacherStore, found: Annotations, labels: Mapping[int, int], image_ids: Sequence[int]
) -> Iterator[tuple[Regions, Objects]]:
    """Yield regions and labelled objects of images, see ``labelled_objects``.

    Args:
        store: the regions.
        found: the annotation file.
        labels: row of the vocabulary by category id.
        image_ids: the images, which must be in both.

    Raises:
        UserError: an image that is not in the store.
    """
    for image_id in image_ids:
        yield store[image_id], labelled_objects(found, labels, image_id)


def labelled_objects(found: Annotations, labels: Mapping[int, int], image_id: int) -> Objects:
    """Return the labelled objects of an image, by the rules of training.

    Crowds, boxes with a side under a pixel in the image and objects of other categories are
    left out.

    Args:
        found: the annotation file.
        labels: row of the vocabulary by category id.
        image_id: the image.
    """
    records = [
        record
        for record in found.by_image.get(image_id, ())
        if record["category_id"] in labels
        and not record["iscrowd"]
        and is_large_enough(record["bbox"], found.sizes[image_id])
    ]
    boxes = [record["bbox"] for record in records]
    rows = [labels[record["category_id"]] for record in records]
    return make_objects(boxes, rows, "xywh")


def make_objects(boxes: Sequence[Any], labels: Sequence[int], box_format: str) -> Objects:
    """Return objects of G boxes of four numbers.

    Args:
        boxes: in pixels of the original image.
        labels: G rows of the vocabulary.
        box_format: 'xywh' or 'xyxy'.
    """
    corners = torch.tensor(boxes, dtype=torch.float64).reshape(-1, 4)
    rows = torch.tensor(labels, dtype=torch.int64)
    return Objects(box_convert(corners, box_format, "xyxy"), rows)
