"""Samples for learning prompts: a store's regions, matched with the ground truth of base classes.

Novel annotations are dropped as the file is read, as in every training, and take no part at all,
not even to leave a region out. So a region over a novel object counts by the base boxes alone: for
a base class where it overlaps one by half, for background from a tenth on, else not at all.

Shapes: P regions and G boxes of an image.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import torch
from torch import Tensor
from torchvision.ops import box_iou

from ovdistill.core.errors import UserError
from ovdistill.datasets.ov_dataset import OVDataset
from ovdistill.store import TeacherStore
from ovdistill.vocabulary import Vocabulary
from ovdistill.vocabulary.learn import Samples
from ovdistill.vocabulary.learn.samples import BACKGROUND

POSITIVE, NEGATIVE = 0.5, 0.1  # lowest IoU of a region of a class, and of background (DetPro)
HELD_OUT = 10  # one in so many images


def split_images(stores: Iterable[TeacherStore], seed: int) -> tuple[set[int], set[int]]:
    """The images of stores: those to learn from, and a tenth to be judged on.

    Raises:
        UserError: fewer than ten images.
    """
    ids = sorted({image_id for store in stores for image_id in store.image_ids})
    if len(ids) < HELD_OUT:
        raise UserError(f"{len(ids)} images to learn prompts from; expected at least {HELD_OUT}")
    order = torch.randperm(len(ids), generator=torch.Generator().manual_seed(seed)).tolist()
    held_out = {ids[place] for place in order[: len(ids) // HELD_OUT]}
    return {*ids} - held_out, held_out


def match_regions(regions: Tensor, boxes: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The label and IoU of each region, by the box that it overlaps most.

    Args:
        regions: (P, 4) xyxy.
        boxes: (G, 4) xyxy of base words, in the same pixels.
        labels: (G,) int64.

    Returns:
        (P,) int64, ``BACKGROUND`` below an IoU of 0.5; (P,) float32, 0 where there is no box.
    """
    if not len(boxes):
        return torch.full((len(regions),), BACKGROUND), torch.zeros(len(regions))
    ious, nearest = box_iou(regions, boxes).max(dim=1)
    return torch.where(ious >= POSITIVE, labels[nearest], BACKGROUND), ious


def read_samples(
    stores: Iterable[TeacherStore],
    annotations: str | Path,
    words: Vocabulary,
    images: Collection[int],
    background: float = 0.1,
    seed: int = 0,
) -> Samples:
    """Reads the samples of some images.

    Regions with an IoU of at least 0.5 are samples of the word of their box, those in [0.1, 0.5) of
    the background, fewer of them drawn at random. Crowds are no boxes. A store made of the ground
    truth boxes gives samples with an IoU of 1.

    Memory: 2 D bytes a sample, 1 KB with a ViT-B/32.

    Args:
        stores: regions of the same data set and teacher.
        annotations: COCO or LVIS file of the data set.
        words: names, and which are base.
        images: ids of the images to take.
        background: share of the background regions that become samples (DetPro: a tenth).
        seed: of the drawing.

    Raises:
        UserError: an image of a store that the annotations lack, or see ``OVDataset``.
    """
    truth = _base_boxes(annotations, words)
    generator = torch.Generator().manual_seed(seed)
    parts = []
    for store in stores:
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
            kept = (labels != BACKGROUND) | ((ious >= NEGATIVE) & drawn)
            parts.append(Samples(regions.embeddings, labels, ious)[kept])
    return Samples(
        torch.cat([part.embeddings for part in parts]),
        torch.cat([part.labels for part in parts]),
        torch.cat([part.ious for part in parts]),
    )


def _base_boxes(annotations: str | Path, words: Vocabulary) -> dict[int, tuple[Tensor, Tensor]]:
    """(G, 4) boxes and (G,) labels of base words by image id, read as training reads them."""
    dataset = OVDataset(
        vocabulary=words,
        labelled="base",
        ann_file=str(annotations),
        data_prefix=dict(img=""),
        lazy_init=True,
    )
    result = {}
    for record in dataset.load_data_list():
        own = [instance for instance in record["instances"] if not instance["ignore_flag"]]
        boxes = torch.tensor([instance["bbox"] for instance in own], dtype=torch.float32)
        labels = torch.tensor([instance["bbox_label"] for instance in own], dtype=torch.int64)
        result[record["img_id"]] = boxes.reshape(-1, 4), labels
    return result
