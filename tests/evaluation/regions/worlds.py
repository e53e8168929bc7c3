"""A small world of regions and objects that the tests of figures, advice and hooks share."""

import torch
from torch.nn.functional import normalize

from ovdistill.evaluation.regions.matching import Objects
from ovdistill.store import Regions

IS_BASE = torch.tensor([True, True, False])
TEXTS = torch.eye(3)
BASE_BOX, NOVEL_BOX, FAR_BOX = [0.0, 0, 10, 10], [20.0, 0, 30, 10], [50.0, 50, 60, 60]


def image(seen_as: tuple[int, int], *, novel: bool = True) -> tuple[Regions, Objects]:
    """An object of class 0, one of class 2, and a region on each and on nothing.

    Args:
        seen_as: the class whose name the teacher finds in the regions on the two objects.
        novel: the second object is annotated.
    """
    embeddings = torch.stack([TEXTS[seen_as[0]], TEXTS[seen_as[1]], torch.tensor([1.0, 1, 1])])
    boxes = torch.tensor([BASE_BOX, NOVEL_BOX, FAR_BOX])
    regions = Regions(boxes, torch.tensor([0.9, 0.8, 0.1]), normalize(embeddings, dim=1).half())
    count = 2 if novel else 1
    return regions, Objects(boxes[:count].double(), torch.tensor([0, 2][:count]))
