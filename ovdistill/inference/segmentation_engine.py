"""Runs a segmentor on images, and gives their pixels the names that a user asks for.

Shapes: G classes, W class names (phrases of the classes), H x W pixels of an image.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ovdistill.inference.network import Network, reduce_large
from ovdistill.inference.score_maps import ScoreMaps, enlarge
from ovdistill.inference.segmentation_result import SegmentationResult, resize_labels
from ovdistill.segmentation.best_names import PixelScores, best_names, most_pixels
from ovdistill.segmentation.data.label_map import IGNORE


class SegmentationEngine(Network):
    """A segmentor's network with its test pipeline; see ``Network``."""

    @torch.inference_mode()
    def segment(
        self, images: Sequence[np.ndarray], score_threshold: float, *, keep_scores: bool
    ) -> list[SegmentationResult]:
        """Return the label maps of a batch of (H, W, 3) uint8 RGB images of any sizes.

        An image of more than ``large_images.MAX_PIXELS`` pixels is reduced for the network.

        Args:
            images: of the batch.
            score_threshold: pixels whose best name has a lower score have none.
            keep_scores: let the results know the scores of all names.
        """
        seen = [reduce_large(image) for image in images]
        data = self.model.data_preprocessor(self.pack(seen))
        with self.precision():
            maps = list(self.model.score_pixels(data["inputs"], data["data_samples"]))
        phrases = max(Counter(self.asked.classes).values())  # upsampled together
        whole = [
            ScoreMaps(
                scores=partial(_of_classes, scores, self.asked.classes),
                names=self.asked.names,
                seen=(small.shape[0], small.shape[1]),
                size=(image.shape[0], image.shape[1]),
                pixels=phrases * most_pixels(sample.metainfo),
            )
            for scores, sample, small, image in zip(
                maps, data["data_samples"], seen, images, strict=True
            )
        ]
        return [self._result(own, score_threshold, keep_scores=keep_scores) for own in whole]

    def _result(self, maps: ScoreMaps, least: float, *, keep_scores: bool) -> SegmentationResult:
        """Return the label map of one image.

        Args:
            maps: the scores of classes.
            least: see ``segment``.
            keep_scores: see ``segment``.
        """
        asked = self.asked
        rows, best = best_names(maps.scores, len(maps.names), maps.pixels)
        rows = rows.masked_fill((rows >= asked.wanted) | (best < least), IGNORE)
        return SegmentationResult(
            labels=resize_labels(rows.to(torch.int32).cpu().numpy(), maps.size),
            confidence=enlarge(best.float().cpu().numpy(), maps.size),
            names=asked.queries,
            score_maps=maps if keep_scores else None,
        )


def _of_classes(scores: PixelScores, classes: Sequence[int], some: slice) -> Tensor:
    """Return the (classes, H, W) scores of some classes: of all their names together.

    Args:
        scores: of the names.
        classes: the class of each of the W names, by rising numbers.
        some: classes.
    """
    rows = slice(bisect_left(classes, some.start), bisect_left(classes, some.stop))
    of_names = scores(rows)
    if len(of_names) == some.stop - some.start:
        return of_names
    own = torch.tensor(classes[rows], device=of_names.device) - some.start
    together = of_names.new_zeros(some.stop - some.start, *of_names.shape[1:])
    return together.index_add_(0, own, of_names).clamp(max=1)
