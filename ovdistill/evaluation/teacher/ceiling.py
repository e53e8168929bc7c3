"""What AP a student of the teacher can hope for: the teacher's names on boxes, as detections.

Three ceilings, each evaluated with the arithmetic of ``OVMetric``:

- the teacher alone: every true box is a detection of every class name, with the teacher's softmax
  over all W names as scores. Boxes are perfect and nothing is found on background, so what is lost
  is lost by names. A student that copies its teacher will hardly have more novel AP50.
- base classes known: a student also has labels of base classes. Here they have taught it all that
  they can: objects of base classes have their own name and score 1, and objects of novel classes
  are no base class, so that the softmax is over novel names only.
- real proposals: the regions of a store as detections, with the geometric mean of objectness and
  the teacher's softmax as scores, and NMS for each name, as "CLIP on cropped regions" of ViLD.
  What background and boxes that do not fit cost is in it.

Shapes: P objects or regions, p of them in an image, W class names, D embedding width, n detections.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import batched_nms, box_convert

from ovdistill.datasets.annotations import Annotations
from ovdistill.evaluation.accumulate import NO_TRUTH, summarize
from ovdistill.evaluation.backends import MAX_DETS, build_evaluator
from ovdistill.evaluation.records import Records, concatenate
from ovdistill.evaluation.teacher.objects import TrueObjects
from ovdistill.store import Regions

LEAST_SCORE = 1e-4  # of a detection, as the recipes' test_cfg
NMS_OVERLAP = 0.5  # IoU, as the recipes'


@dataclass(frozen=True)
class Ceiling:
    """AP of boxes in percent; None where no class of a group has an object.

    With true boxes AP and AP50 are nearly the same, since every box fits.

    Attributes:
        ap_base: AP of base classes over IoU 0.5 to 0.95.
        ap_novel: AP of novel classes.
        ap50_base: AP50 of base classes.
        ap50_novel: AP50 of novel classes.
    """

    ap_base: float | None
    ap_novel: float | None
    ap50_base: float | None
    ap50_novel: float | None


class Judge:
    """Evaluates detections in images of an annotation file, by class names.

    Args:
        found: the annotation file.
        cat_ids: category id of each of the W class names; None for a name that the file lacks,
            which competes all the same.
        is_base: (W,) bool.
        protocol: 'lvis' or 'coco'.
        image_ids: the images that count.

    Attributes:
        per_image: the most detections of an image.
    """

    def __init__(
        self,
        found: Annotations,
        cat_ids: Sequence[int | None],
        is_base: Tensor,
        protocol: str,
        image_ids: Sequence[int],
    ) -> None:
        self.per_image = MAX_DETS[protocol]
        self.image_ids = list(image_ids)
        self._evaluator = build_evaluator("hotcoco", found, protocol, self.per_image)
        self._cat_ids = np.array([-1 if own is None else own for own in cat_ids])
        groups = dict(zip(cat_ids, is_base.tolist(), strict=True))
        self._evaluated = sorted(own for own in groups if own is not None)
        self._is_base = [groups[own] for own in self._evaluated]

    def records(self, image_id: int, boxes: Tensor, scores: Tensor) -> Records:
        """Return the best detections of an image.

        Args:
            image_id: the image.
            boxes: (p, 4) xyxy, absolute pixels of the original image.
            scores: (p, W); those below ``LEAST_SCORE`` are no detections.
        """
        count = min(self.per_image, scores.numel())
        best, cells = scores.flatten().topk(count)
        row, name = np.divmod(cells[best >= LEAST_SCORE].numpy(), scores.shape[1])
        in_file = self._cat_ids[name] >= 0
        row, name = row[in_file], name[in_file]
        return Records(
            image_ids=np.full(len(row), image_id, dtype=np.int64),
            category_ids=self._cat_ids[name],
            scores=scores.double().numpy()[row, name],
            boxes=box_convert(boxes.double(), "xyxy", "xywh").numpy()[row],
        )

    def evaluate(self, parts: Iterable[Records]) -> Ceiling:
        """Return the AP of the detections of all images."""
        records = concatenate([*parts], with_masks=False)
        curves = self._evaluator.curves(records, "bbox", self.image_ids, self._evaluated)
        found = summarize(curves, self._is_base, None, self.per_image)
        keys = ("AP_base", "AP_novel", "AP50_base", "AP50_novel")
        return Ceiling(*(None if found[key] == NO_TRUTH else found[key] for key in keys))


def ceiling_alone(objects: TrueObjects, texts: Tensor, temperature: float, judge: Judge) -> Ceiling:
    """Return the ceiling of the teacher alone, see above.

    Args:
        objects: of the images of the judge.
        texts: (W, D) text embeddings of the class names, on the CPU.
        temperature: divisor of cosines in the softmax.
        judge: evaluates.
    """
    unit = F.normalize(texts.float(), dim=-1)
    return judge.evaluate(
        judge.records(image_id, objects.boxes[rows], _softmax(objects, rows, unit, temperature))
        for image_id, rows in _by_image(objects)
    )


def ceiling_base_known(
    objects: TrueObjects, texts: Tensor, is_base: Tensor, temperature: float, judge: Judge
) -> Ceiling:
    """Return the ceiling where base classes are known, see above.

    Args:
        objects: of the images of the judge.
        texts: (W, D) text embeddings of the class names, on the CPU.
        is_base: (W,) bool.
        temperature: divisor of cosines in the softmax.
        judge: evaluates.
    """
    unit = F.normalize(texts.float(), dim=-1)[~is_base]

    def scores(rows: slice) -> Tensor:
        labels = objects.labels[rows]
        known = F.one_hot(labels, len(is_base)).float()
        novel = torch.zeros_like(known)
        novel[:, ~is_base] = _softmax(objects, rows, unit, temperature)
        return torch.where(is_base[labels, None], known, novel)

    return judge.evaluate(
        judge.records(image_id, objects.boxes[rows], scores(rows))
        for image_id, rows in _by_image(objects)
    )


def ceiling_of_regions(
    images: Iterable[tuple[int, Regions]], texts: Tensor, temperature: float, judge: Judge
) -> Ceiling:
    """Return the ceiling with real proposals, see above.

    Args:
        images: id and regions of each image of the judge.
        texts: (W, D) text embeddings of the class names, on the CPU.
        temperature: divisor of cosines in the softmax.
        judge: evaluates.
    """
    unit = F.normalize(texts.float(), dim=-1)
    return judge.evaluate(
        judge.records(image_id, regions.boxes, _without_doubles(regions, unit, temperature))
        for image_id, regions in images
    )


def _without_doubles(regions: Regions, unit: Tensor, temperature: float) -> Tensor:
    """Return (p, W) scores of regions, 0 where a better box of the same name is at the place."""
    embeddings = F.normalize(regions.embeddings.float(), dim=-1)
    likely = (embeddings @ unit.T / temperature).softmax(dim=1)
    scores = (likely * regions.objectness.clamp(min=0)[:, None]).sqrt()
    row, name = (scores >= LEAST_SCORE).nonzero(as_tuple=True)
    kept = batched_nms(regions.boxes[row].float(), scores[row, name], name, NMS_OVERLAP)
    row, name = row[kept], name[kept]
    left = torch.zeros_like(scores)
    left[row, name] = scores[row, name]
    return left


def _softmax(objects: TrueObjects, rows: slice, unit: Tensor, temperature: float) -> Tensor:
    return (objects.embeddings[rows] @ unit.T / temperature).softmax(dim=1)


def _by_image(objects: TrueObjects) -> Iterator[tuple[int, slice]]:
    """Yield each image id with the rows of its objects."""
    ids, counts = objects.image_ids.unique_consecutive(return_counts=True)
    start = 0
    for image_id, count in zip(ids.tolist(), counts.tolist(), strict=True):
        yield image_id, slice(start, start + count)
        start += count
