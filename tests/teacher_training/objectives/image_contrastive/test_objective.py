"""Image contrast on one rank and on two, and its queue."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.teacher_training.batch import NO_LABEL, PairEmbeddings
from ovdistill.teacher_training.objectives import ImageContrastive

from ....distillation.ranks import run_on_ranks

FORMS = (dict(), dict(queue=6))
WIDTH = SimpleNamespace(embed_dim=8)  # all that the objective asks of the towers


def _objective(**options: int) -> ImageContrastive:
    objective = ImageContrastive(**options)
    objective.set_towers(WIDTH)
    return objective


def _embeddings(rows: slice, seed: int = 0) -> PairEmbeddings:
    generator = torch.Generator().manual_seed(seed)
    images, views = normalize(torch.randn(2, 4, 8, generator=generator), dim=-1)
    labels = torch.full((4,), NO_LABEL)
    return PairEmbeddings(
        images[rows].requires_grad_(), None, views[rows].requires_grad_(), labels, torch.ones(())
    )


def _two_steps(rows: slice) -> list[tuple[float, list, list]]:
    """Loss, gradient of the images and queue of two steps, with and without a queue."""
    found = []
    for objective in (_objective(**form) for form in FORMS):
        for seed in (0, 1):
            embeddings = _embeddings(rows, seed)
            loss = objective(embeddings)["loss_image_contrastive"]
            loss.backward()
            assert embeddings.images is not None
            found.append((loss.item(), embeddings.images.grad.tolist(), objective.keys.tolist()))
    return found


def _rank(rank: int) -> list[tuple[float, list, list]]:
    return _two_steps(slice(2 * rank, 2 * rank + 2))


def test_two_ranks_have_loss_gradient_and_queue_of_the_whole_batch() -> None:
    whole = _two_steps(slice(None))
    ranks = run_on_ranks(_rank)
    for (loss, grad, keys), first, second in zip(whole, *ranks, strict=True):
        assert (first[0] + second[0]) / 2 == pytest.approx(loss, rel=1e-5)
        found = torch.tensor(first[1] + second[1]) / 2  # the mean over ranks
        torch.testing.assert_close(found, torch.tensor(grad), atol=1e-6, rtol=1e-5)
        for own in (first[2], second[2]):
            torch.testing.assert_close(torch.tensor(own), torch.tensor(keys))


def test_the_queue_keeps_the_latest_keys_and_is_saved() -> None:
    objective = _objective(queue=6)
    batches = [_embeddings(slice(None), seed) for seed in (0, 1)]
    for batch in batches:
        objective(batch)
    views = [batch.views for batch in reversed(batches)]
    torch.testing.assert_close(objective.state_dict()["keys"], torch.cat(views)[:6].detach())


def test_the_queue_stays_in_evaluation() -> None:
    objective = _objective(queue=6).eval()
    objective(_embeddings(slice(None)))
    assert not objective.keys.any()


def test_a_queue_of_negatives_raises_the_loss() -> None:
    batch, losses = _embeddings(slice(None)), []
    objective = _objective(queue=6)
    for _ in range(2):
        losses.append(objective(batch)["loss_image_contrastive"].item())
    assert losses[1] > losses[0]
