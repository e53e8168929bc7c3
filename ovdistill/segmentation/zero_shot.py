"""Segmentation by the teacher alone: nothing is trained.

Zhou et al., "Extract Free Dense Labels from CLIP" (MaskCLIP), ECCV 2022, arXiv 2112.01071.

Shapes: W class names, B background names, D embedding width, h x w the teacher's grid, H x W
pixels.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ovdistill.core.errors import UserError
from ovdistill.segmentation.best_names import best_names, resize
from ovdistill.segmentation.data.label_map import IGNORE
from ovdistill.segmentation.dense_teacher import DenseTeacher
from ovdistill.vocabulary import Vocabulary


def zero_shot_segmentation(
    teacher: DenseTeacher,
    image: Tensor,
    vocabulary: Vocabulary,
    background: Tensor | None = None,
    *,
    denoise: float = 0.0,
    smooth: bool = False,
) -> tuple[Tensor, Tensor]:
    """Give every pixel of an image the class name that its dense embedding is next to.

    Args:
        teacher: the one that embedded the vocabulary; its ``scale`` resizes the image.
        image: (3, H, W) RGB, uint8, or float in [0, 1].
        vocabulary: W class names.
        background: (B, D) embeddings of what is no class, such as "sky" or "wall": their pixels
            have no class name. None: every pixel has one.
        denoise: class names whose probability is below it at every position are left out (MaskCLIP,
            section 3.2: prompt denoising, 0.5 there).
        smooth: average the scores of positions by how similar these are (MaskCLIP, key smoothing).
            The paper compares keys of the last attention, here the dense embeddings are compared,
            which every teacher has.

    Returns:
        (H, W) int64 rows of class names or ``IGNORE``, and (H, W) their probabilities. The scores
        of the grid are interpolated bilinearly.

    Raises:
        UserError: the vocabulary or the background is of another teacher or width.
    """
    _check(teacher, vocabulary, background)
    full = 255 if image.dtype == torch.uint8 else 1
    dense = teacher.embed(image[None].float() / full)[0]
    texts = vocabulary.embeddings.to(dense)
    if background is not None:
        texts = torch.cat([texts, background.to(dense)])
    grid = grid_scores(dense, texts, teacher.teacher.temperature, denoise=denoise, smooth=smooth)
    size = (image.shape[1], image.shape[2])
    labels, best = best_names(partial(_upsampled, grid, size), len(texts), size[0] * size[1])
    return labels.masked_fill(labels >= len(vocabulary), IGNORE), best


def grid_scores(
    dense: Tensor, texts: Tensor, temperature: float, *, denoise: float = 0.0, smooth: bool = False
) -> Tensor:
    """Return the (W, h, w) probabilities of class names on the teacher's grid.

    Args:
        dense: (D, h, w) unit norm along D.
        texts: (W, D) unit norm.
        temperature: cosines are divided by it.
        denoise: see ``zero_shot_segmentation``; the best name of all is kept in any case.
        smooth: see ``zero_shot_segmentation``.
    """
    positions = normalize(dense.flatten(1), dim=0)
    logits = texts @ positions / temperature
    if smooth:
        similar = (positions.T @ positions).clamp(min=0)
        logits = logits @ (similar / similar.sum(dim=0, keepdim=True))
    if denoise:
        seen = logits.softmax(dim=0).amax(dim=1)
        unseen = seen < min(denoise, float(seen.max()))
        logits = logits.masked_fill(unseen[:, None], -torch.inf)
    return logits.softmax(dim=0).unflatten(1, dense.shape[1:])


def _upsampled(grid: Tensor, size: tuple[int, int], names: slice) -> Tensor:
    return resize(grid[names], size)


def _check(teacher: DenseTeacher, vocabulary: Vocabulary, background: Tensor | None) -> None:
    if not vocabulary.teacher.is_same(teacher.teacher.id):
        raise UserError(
            f"got a vocabulary of teacher {vocabulary.teacher} for teacher {teacher.teacher.id}; "
            "expected one of the same: ovdistill vocab build"
        )
    if background is not None and background.shape[1:] != vocabulary.embeddings.shape[1:]:
        raise UserError(
            f"got background embeddings {tuple(background.shape)}; expected (B, "
            f"{vocabulary.embed_dim})"
        )
