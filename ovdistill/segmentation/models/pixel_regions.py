"""Distillation regions as a segmentor embeds them: the mean of their pixels.

With them terms of detection train a segmentor too, unless they need labelled boxes.

Shapes: N images, P distillation regions, D embedding width, h x w the grid of the embeddings.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmdet.structures import SampleList
from torch import Tensor

from ovdistill.distillation.batch import DistillPixels, DistillRegions
from ovdistill.distillation.gather import region_rois


def pixel_regions(
    pixels: DistillPixels, samples: SampleList, size: tuple[int, int]
) -> DistillRegions:
    """Embed the distillation regions of a batch.

    A region holds its object and what is around it, which is mostly labelled. So where a region has
    unlabelled pixels, they are its object: the embedding is the mean over them. Of a region without
    any it is the mean over all of its pixels. Ignored pixels, such as borders between objects, are
    not unlabelled: they may be of anything.

    Args:
        pixels: of the batch.
        samples: N data samples with ``teacher_regions``.
        size: height and width of the network input, in pixels.

    Raises:
        UserError: the pipeline loads no regions.
    """
    rois = region_rois(samples)
    image_index = rois[:, 0].long()
    covered = _covered(rois[:, 1:], size, tuple(pixels.student.shape[-2:]))
    free = covered & pixels.unlabelled[image_index]
    chosen = torch.where(free.flatten(1).any(dim=1)[:, None, None], free, covered)
    parts = [sample.teacher_regions for sample in samples]
    return DistillRegions(
        student=_means(pixels.student, chosen, [len(part) for part in parts]),
        teacher=torch.cat([part.embeddings for part in parts]),
        boxes=rois[:, 1:],
        objectness=torch.cat([part.objectness for part in parts]),
        image_index=image_index,
        overlap=rois.new_zeros(len(rois)),  # no boxes are labelled
    )


def _covered(boxes: Tensor, size: tuple[int, int], grid: tuple[int, ...]) -> Tensor:
    """Return (P, h, w) bool: the positions whose middle lies in a box, the nearest one at least."""
    inside = []
    for axis in (1, 0):  # rows, then columns
        cells = grid[1 - axis]
        middle = (torch.arange(cells, device=boxes.device) + 0.5) * (size[1 - axis] / cells)
        start, end = boxes[:, axis, None], boxes[:, axis + 2, None]
        nearest = ((start + end) / 2 - middle).abs().argmin(dim=1)
        within = (middle >= start) & (middle < end)
        inside.append(within.scatter(1, nearest[:, None], value=True))
    return inside[0][:, :, None] & inside[1][:, None, :]


def _means(pixels: Tensor, chosen: Tensor, counts: Sequence[int]) -> Tensor:
    """Return the (P, D) unit means of the chosen positions, an image at a time.

    In float32 also under autocast: a sum over all positions of an image overflows in float16.

    Args:
        pixels: (N, D, h, w) embeddings.
        chosen: (P, h, w) bool.
        counts: how many of the P regions each image has.
    """
    means = []
    with torch.autocast(pixels.device.type, enabled=False):
        for own, regions in zip(pixels.float(), chosen.split([*counts]), strict=True):
            shares = regions.flatten(1).to(own)
            means.append(shares @ own.flatten(1).T / shares.sum(dim=1, keepdim=True).clamp(min=1))
        return F.normalize(torch.cat(means), dim=-1)
