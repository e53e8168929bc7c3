"""Choose the regions of an image that show an object, of whatever class.

Shapes: R regions of an image, n chosen ones, W class names, D embedding width.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.ops import nms

from ovdistill.models.kept_regions import KeptRegions
from ovdistill.models.roi_head import OpenVocabularyRoIHead
from ovdistill.store import Regions

SAME_OBJECT = 0.7  # IoU
LEAST_SIDE = 1.0  # pixels of the network input


def objectness_of(head: OpenVocabularyRoIHead, kept: KeptRegions) -> Tensor:
    """Return the (R,) probability that each region shows an object, times how well its box fits.

    An object is what is not background under the current class names. A head without background
    has a probability of each class name of its own, of which the largest is taken.
    """
    log_scores = head.score_embeddings(kept.final_embeddings)
    if head.bbox_head.fc_cls.background is None:
        objectness = log_scores[:, :-1].amax(dim=1).exp()
    else:
        objectness = 1 - log_scores[:, -1].exp()
    return objectness if kept.fit is None else objectness * kept.fit.sigmoid()


def foremost_regions(head: OpenVocabularyRoIHead, kept: KeptRegions, most: int) -> Regions:
    """Return the regions of an image of highest objectness, one for each object.

    Of two boxes that overlap by an IoU above 0.7 the better one is taken, whatever they show.

    Args:
        head: the one that kept the regions, with the class names of its training.
        kept: the regions of the image.
        most: the largest number of regions.

    Returns:
        n regions, best first, on the CPU: boxes in pixels of the original image, embeddings (n, D)
        float32, those of the head that is aligned with texts.
    """
    boxes, width = kept.boxes, head.embed_dim
    sides = boxes[:, 2:] - boxes[:, :2]
    large = (sides >= LEAST_SIDE).all(dim=1).nonzero()[:, 0]
    objectness = objectness_of(head, kept) if len(kept) else boxes.new_zeros(0)
    best = large[nms(boxes[large], objectness[large], SAME_OBJECT)[:most]]
    factor = torch.as_tensor(kept.meta["scale_factor"], dtype=boxes.dtype).repeat(2)
    return Regions(
        boxes[best].cpu() / factor,
        objectness[best].cpu(),
        kept.final_embeddings[best, :width].float().cpu(),
    )
