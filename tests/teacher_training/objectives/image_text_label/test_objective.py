"""UniCL's objective on one rank and on two, with a label that both ranks have."""

from __future__ import annotations

import pytest
import torch

from ovdistill.teacher_training.batch import NO_LABEL, PairEmbeddings
from ovdistill.teacher_training.objectives import ImageTextLabelContrastive

from ....distillation.ranks import run_on_ranks


def _embeddings(rows: slice) -> PairEmbeddings:
    generator = torch.Generator().manual_seed(0)
    images, texts = torch.nn.functional.normalize(torch.randn(2, 4, 8, generator=generator), dim=-1)
    labels = torch.tensor([3, NO_LABEL, 3, 5])
    return PairEmbeddings(
        images[rows].requires_grad_(), texts[rows], None, labels[rows], torch.tensor(5.0)
    )


def _rank(rank: int) -> tuple[float, list]:
    embeddings = _embeddings(slice(2 * rank, 2 * rank + 2))
    loss = ImageTextLabelContrastive()(embeddings)["loss_image_text_label"]
    loss.backward()
    return loss.item(), embeddings.images.grad.tolist()


def test_two_ranks_have_the_loss_and_gradient_of_the_whole_batch() -> None:
    whole = _embeddings(slice(None))
    loss = ImageTextLabelContrastive()(whole)["loss_image_text_label"]
    loss.backward()
    found = run_on_ranks(_rank)
    assert sum(own for own, _ in found) / 2 == pytest.approx(loss.item(), rel=1e-6)
    grad = torch.tensor([row for _, rows in found for row in rows]) / 2  # the mean over ranks
    torch.testing.assert_close(grad, whole.images.grad, atol=1e-7, rtol=1e-5)
