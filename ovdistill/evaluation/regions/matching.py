"""Match the regions of an image with its labelled objects.

Shapes: P regions, G objects, W class names.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import box_iou

MIN_OVERLAP = 0.5  # smallest IoU at which a region lies on an object
NO_OBJECT = -1  # label of a region that lies on none


@dataclass(frozen=True, eq=False)
class Objects:
    """Labelled objects of an image, without crowds.

    Attributes:
        boxes: (G, 4) xyxy, absolute pixels of the original image.
        labels: (G,) int64, rows of the vocabulary.
    """

    boxes: Tensor
    labels: Tensor


@dataclass(frozen=True, eq=False)
class Match:
    """Regions and objects of an image, compared.

    Attributes:
        overlap: (G,) float64, the highest IoU of a region with each object; 0 without a region.
        labels: (P,) int64, the label of the object that each region lies on, else ``NO_OBJECT``.
    """

    overlap: Tensor
    labels: Tensor


def match_regions(boxes: Tensor, objects: Objects, is_base: Tensor) -> Match:
    """Return how the regions and the objects of an image fit each other.

    A region has the label of the base object that it overlaps most, if their IoU is at least
    ``MIN_OVERLAP``; else that of the novel object, by the same rule. So what is said of base
    classes is the same whether a file has boxes of novel classes or not.

    Args:
        boxes: (P, 4) xyxy, in the pixels of the objects.
        objects: G objects.
        is_base: (W,) bool.
    """
    iou = box_iou(boxes.double(), objects.boxes.double()).nan_to_num()  # (P, G)
    on_base = is_base[objects.labels]
    base = _best_labels(iou * on_base, objects.labels)
    novel = _best_labels(iou * ~on_base, objects.labels)
    return Match(
        overlap=F.pad(iou, (0, 0, 0, 1)).amax(dim=0),  # a row of zeros: P may be 0
        labels=torch.where(base == NO_OBJECT, novel, base),
    )


def _best_labels(iou: Tensor, labels: Tensor) -> Tensor:
    """Return (P,) labels of the objects of the highest IoU, if that is high enough."""
    best, row = F.pad(iou, (0, 1)).max(dim=1)  # a column of zeros: G may be 0
    found = F.pad(labels, (0, 1), value=NO_OBJECT)[row]
    return torch.where(best >= MIN_OVERLAP, found, NO_OBJECT)
