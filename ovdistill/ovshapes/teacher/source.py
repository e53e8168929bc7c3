"""Drawn images as a source of training data for the embedded benchmark's teacher.

Each batch has crops of all 65 categories in several colours, and captions of them at two levels ("a
photo of a red striped star.", "a striped star", "star").
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import torch

from ovdistill.core.errors import UserError
from ovdistill.ovshapes.teacher.batch import GroupBatch
from ovdistill.ovshapes.teacher.data import (
    CATEGORY,
    COLOUR_SHAPE,
    FULL,
    NUM_CATEGORIES,
    SHAPE,
    SIZES,
    CropSampler,
    Pool,
    draw_pool,
    draw_template,
    phrase,
)
from ovdistill.teacher import CropPolicy
from ovdistill.teacher_training.data.registry import register_source
from ovdistill.teacher_training.data.source import BatchPlan, BatchSource
from ovdistill.vocabulary.prompts import fill_template

LEVELS = (FULL, COLOUR_SHAPE, FULL, SHAPE)  # in turn, together with CATEGORY in each step


@register_source
class OVShapesCrops(BatchSource):
    """Crops of drawn images, with captions that several crops share.

    The training's ``batch`` is the number of crops: a multiple of 65, up to 520.

    Args:
        images: number of images to draw (49 kB of memory each).
        whole_images: images with captions of their own that are added to the crops.
        whole_every: steps from one batch with whole images to the next.
        workers: processes that draw the images.
    """

    divisible: ClassVar[bool] = False

    def __init__(
        self, images: int = 8000, whole_images: int = 32, whole_every: int = 4, workers: int = 2
    ) -> None:
        if min(images, whole_every) < 1 or not 0 <= whole_images <= images:
            raise UserError(
                f"OVShapesCrops with images={images}, whole_images={whole_images} and "
                f"whole_every={whole_every}; expected at least 1, and no more whole images than "
                "there are"
            )
        self.images, self.workers = images, workers
        self.whole_images, self.whole_every = whole_images, whole_every

    def batches(self, plan: BatchPlan, first: int) -> Iterator[GroupBatch]:
        """Yield the batches, see ``BatchSource``.

        Raises:
            UserError: another number of crops than categories allow, or several processes, whose
                batches could not be one.
        """
        if plan.batch % NUM_CATEGORIES or plan.batch > NUM_CATEGORIES * SIZES[0]:
            raise UserError(
                f"training.batch is {plan.batch}; expected a multiple of {NUM_CATEGORIES} up to "
                f"{NUM_CATEGORIES * SIZES[0]} for OVShapesCrops"
            )
        if plan.ranks > 1:
            raise UserError(f"OVShapesCrops with {plan.ranks} processes; expected one")
        return self.batches_of(draw_pool(plan.seed, self.images, self.workers), plan, first)

    def batches_of(self, pool: Pool, plan: BatchPlan, first: int) -> Iterator[GroupBatch]:
        """Yield the batches of a pool that is drawn already, from step ``first`` on."""
        per_category = plan.batch // NUM_CATEGORIES
        sampler = CropSampler(pool, per_category, plan.image_size, CropPolicy(), plan.seed)
        rng = np.random.default_rng(plan.seed)
        step = 0
        while True:
            crops, kinds = sampler.draw_crops()
            draws = [crops]
            texts, captions = _captions(kinds, (CATEGORY, LEVELS[step % len(LEVELS)]), rng)
            if step % self.whole_every == 0 and self.whole_images:
                draws.append(sampler.draw_images(self.whole_images))
                texts += [pool.captions[i] for i in draws[1].images.tolist()]
            if step >= first:
                yield GroupBatch(
                    images=plan.normalize(torch.cat([sampler.render(draw) for draw in draws])),
                    tokens=plan.tokenize(texts),
                    labels=torch.from_numpy(kinds),
                    captions=captions,
                    whole=sum(len(draw.images) for draw in draws[1:]),
                )
            step += 1


def _captions(
    kinds: np.ndarray, levels: tuple[tuple[str, ...], ...], rng: np.random.Generator
) -> tuple[list[str], torch.Tensor]:
    """Return the captions of crops at some levels, each once, and where those of each crop are.

    Args:
        kinds: (n,) of the objects.
        levels: parts of a kind that captions say.
        rng: draws a template for each level.

    Returns:
        T texts; (levels, n) int64 index of a text.
    """
    texts: list[str] = []
    rows: list[np.ndarray] = []
    for level in levels:
        names, row = np.unique([phrase(kind, level) for kind in kinds], return_inverse=True)
        rows.append(row + len(texts))
        # the same template for all, so that captions differ in what they say of the object only
        template = draw_template(rng)
        texts += [fill_template(template, str(name)) for name in names]
    return texts, torch.from_numpy(np.stack(rows))
