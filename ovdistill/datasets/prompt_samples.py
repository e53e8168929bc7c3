"""Reads samples to learn prompts from: regions of a store, matched with boxes of base classes.

Novel annotations are dropped as the file is read, as in every training, and have no effect at all:
they do not even exclude a region. So a region over a novel object is judged by the base boxes
alone. With an IoU of at least 0.5 it is a sample of the base class, from 0.1 on it is background,
below 0.1 it is not used.

Shapes: P regions and G boxes of an image, D embedding width.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torchvision.ops import box_iou

from ovdistill.core import mmcv_ops
from ovdistill.core.errors import UserError
from ovdistill.store import TeacherStore
from ovdistill.store.same_images import check_same_images
from ovdistill.store.stored_image import StoredImage
from ovdistill.vocabulary import Vocabulary
from ovdistill.vocabulary.learn import Samples
from ovdistill.vocabulary.learn.samples import BACKGROUND

MIN_IOU_CLASS, MIN_IOU_BACKGROUND = 0.5, 0.1  # of a region with a base box (DetPro)
HELD_OUT = 10  # one image in ten is held out


def split_images(stores: Iterable[TeacherStore], seed: int) -> tuple[set[int], set[int]]:
    """Split the images of stores: those to learn from, and a tenth to measure accuracy on.

    Raises:
        UserError: fewer than ten images.
    """
    return split_ids({image_id for store in stores for image_id in store.image_ids}, seed)


def split_ids(image_ids: Collection[int], seed: int) -> tuple[set[int], set[int]]:
    """Split images into those to learn from, and a tenth that is held out.

    Raises:
        UserError: fewer than ten images.
    """
    ids = sorted(image_ids)
    if len(ids) < HELD_OUT:
        raise UserError(f"{len(ids)} images to learn from; expected at least {HELD_OUT}")
    order = torch.randperm(len(ids), generator=torch.Generator().manual_seed(seed)).tolist()
    held_out = {ids[index] for index in order[: len(ids) // HELD_OUT]}
    return {*ids} - held_out, held_out


def match_regions(regions: Tensor, boxes: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the label and the IoU of each region, by the box that it overlaps most.

    Args:
        regions: (P, 4) boxes, xyxy, absolute pixels of the image.
        boxes: (G, 4) boxes of base classes, xyxy, absolute pixels of the image.
        labels: (G,) int64, label of each box.

    Returns:
        (P,) int64 labels, ``BACKGROUND`` below an IoU of 0.5; (P,) float32 IoUs, 0 without boxes.
    """
    if not len(boxes):
        return torch.full((len(regions),), BACKGROUND), torch.zeros(len(regions))
    ious, nearest = box_iou(regions, boxes).max(dim=1)
    return torch.where(ious >= MIN_IOU_CLASS, labels[nearest], BACKGROUND), ious


def read_samples(
    stores: Iterable[TeacherStore],
    annotations: str | Path,
    vocabulary: Vocabulary,
    images: Collection[int],
    background: float = 0.1,
    seed: int = 0,
) -> Samples:
    """Read the samples of some images.

    Regions with an IoU of at least 0.5 are samples of the class of their box. A random share of
    those in [0.1, 0.5) are samples of the background. Crowd boxes are ignored. A store made of the
    ground truth boxes gives samples with an IoU of 1.

    Memory: 2 D bytes for each sample, 1 KB with a ViT-B/32.

    Args:
        stores: stores of the same data set and teacher.
        annotations: COCO or LVIS file of the data set.
        vocabulary: class names, and which are base.
        images: ids of the images to use.
        background: share of the background regions that become samples (DetPro: 0.1).
        seed: seed of the random share.

    Raises:
        UserError: an image of a store is not in the annotations, or another file there, or see
            ``OVDataset``.
    """
    records = _load_records(annotations, vocabulary)
    truth = {record["img_id"]: _base_boxes(record) for record in records}
    images_now = {record["img_id"]: _stored_image(record) for record in records}
    generator = torch.Generator().manual_seed(seed)
    parts = []
    for store in stores:
        check_same_images(store, images_now, annotations)
        for image_id in store.image_ids:
            if image_id not in truth:
                raise UserError(
                    f"image {image_id} of teacher store {store.folder} is not in {annotations}; "
                    "expected the annotations of the images that the store was made of"
                )
            if image_id not in images:
                continue
            regions = store[image_id]
            labels, ious = match_regions(regions.boxes, *truth[image_id])
            drawn = torch.rand(len(labels), generator=generator) < background
            kept = (labels != BACKGROUND) | ((ious >= MIN_IOU_BACKGROUND) & drawn)
            parts.append(Samples(regions.embeddings, labels, ious)[kept])
    return Samples(
        torch.cat([part.embeddings for part in parts]),
        torch.cat([part.labels for part in parts]),
        torch.cat([part.ious for part in parts]),
    )


def read_embeddings(stores: Iterable[TeacherStore], images: Collection[int]) -> Tensor:
    """Read the embeddings of all regions of some images, without any annotation.

    Returns:
        (n, D) float16, unit norm up to rounding.

    Raises:
        UserError: there is no region, or a damaged store.
    """
    parts = [
        store[image_id].embeddings
        for store in stores
        for image_id in store.image_ids
        if image_id in images
    ]
    if not sum(map(len, parts)):
        raise UserError("the stores have no region of these images; expected some to learn from")
    return torch.cat(parts)


def _load_records(annotations: str | Path, vocabulary: Vocabulary) -> list[dict[str, Any]]:
    """Return images with their objects of base classes, as training reads them."""
    mmcv_ops.import_datasets()  # without what mmdet prints when a data set is imported first
    from ovdistill.datasets.ov_dataset import OVDataset

    dataset = OVDataset(
        vocabulary=vocabulary,
        labelled="base",
        ann_file=str(annotations),
        data_prefix=dict(img=""),
        allow_outside_images=True,  # none is opened
        test_mode=True,  # a file of crowds alone is no error here
        lazy_init=True,
    )
    return dataset.load_data_list()


def _base_boxes(record: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
    """Return (G, 4) boxes, xyxy, and (G,) labels of the objects of an image."""
    kept = [instance for instance in record["instances"] if not instance["ignore_flag"]]
    boxes = torch.tensor([instance["bbox"] for instance in kept], dtype=torch.float32)
    labels = torch.tensor([instance["bbox_label"] for instance in kept], dtype=torch.int64)
    return boxes.reshape(-1, 4), labels


def _stored_image(record: Mapping[str, Any]) -> StoredImage:
    return StoredImage.of_file(record["img_path"], (record["height"], record["width"]))
