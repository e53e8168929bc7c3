"""The terms of segmentation on small batches."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.core.errors import UserError
from ovdistill.distillation.batch import DistillInputs, DistillPixels, TextEmbeddings
from ovdistill.segmentation.losses.terms import (
    PixelEmbeddingTerm,
    PixelWordTerm,
    PseudoLabelTerm,
)

BASE = torch.tensor([True, True, False, False])
TEXTS = torch.eye(4)


def inputs(labels: list[int], teacher: list[int], *, dense: bool = True) -> DistillInputs:
    """A row of pixels whose teacher's embeddings are the texts of some names."""
    student = normalize(torch.randn(1, 4, 1, len(labels)), dim=1).requires_grad_()
    pixels = DistillPixels(
        student=student,
        labels=torch.tensor([[labels]]),
        inside=torch.ones(1, 1, len(labels)) > 0,
        teacher=TEXTS[teacher].T.reshape(1, 4, 1, -1) if dense else None,
    )
    texts = TextEmbeddings(TEXTS, BASE, 0.1)
    return DistillInputs(1, texts, (), None, None, None, pixels=pixels)


def gradient(term: torch.nn.Module, given: DistillInputs) -> torch.Tensor:
    (loss,) = term(given).values()
    (found,) = torch.autograd.grad(loss, given.pixels.student)
    return found


def test_alignment_moves_labelled_pixels_and_knows_no_novel_name():
    given = inputs([0, -1, 1], [0, 2, 1], dense=False)
    found = gradient(PixelWordTerm(), given)
    assert found[..., 1].abs().sum() == 0 and found[:, 2:].abs().sum() == 0
    assert gradient(PixelWordTerm(train_novel=True), given)[:, 2:].abs().sum() > 0
    double = gradient(PixelWordTerm(loss_weight=2.0), given)
    torch.testing.assert_close(double, 2 * found)


def test_embedding_distillation_takes_unlabelled_pixels_or_all():
    given = inputs([0, -1, 1], [0, 2, 1])
    found = gradient(PixelEmbeddingTerm(), given)
    assert (found.abs().sum(dim=1) > 0).tolist() == [[[False, True, False]]]
    assert (gradient(PixelEmbeddingTerm(chosen="all"), given).abs().sum(dim=1) > 0).all()
    given.pixels.inside[..., 1] = False
    assert gradient(PixelEmbeddingTerm(), given).abs().sum() == 0


def test_pseudo_labels_are_the_teachers_first_and_then_the_students():
    term = PseudoLabelTerm(self_training_after=1)
    assert term.needs == ("dense",)
    given = inputs([0, -1], [0, 3])
    with torch.no_grad():
        given.pixels.student[0, :, 0, 1] = normalize(torch.tensor([0.1, 0.1, 0.9, 0.2]), dim=0)
    first = gradient(term, given)[0, :, 0]
    assert first[:, 0].abs().sum() == 0
    assert first[:, 1].argmin() == 3  # towards the teacher's name
    assert term.needs == ("pixels",)
    given.pixels.teacher = None
    assert gradient(term, given)[0, :, 0, 1].argmin() == 2  # towards the student's own


def test_the_phase_of_self_training_is_saved():
    term = PseudoLabelTerm(self_training_after=1)
    term(inputs([-1], [2]))
    resumed = PseudoLabelTerm(self_training_after=1)
    resumed.load_state_dict(term.state_dict())
    given = inputs([-1], [2], dense=False)
    assert resumed(given)["loss_pseudo_label"] > 0


def test_pseudo_labels_among_all_names_are_an_option():
    given = inputs([-1], [0])
    found = gradient(PseudoLabelTerm(self_training_after=5, names="all"), given)
    assert found[0, :, 0, 0].argmin() == 0
    assert gradient(PseudoLabelTerm(self_training_after=5), given)[0, :, 0, 0].argmin() >= 2


@pytest.mark.parametrize(
    "make", [lambda: PixelEmbeddingTerm(chosen="some"), lambda: PseudoLabelTerm(1, names="base")]
)
def test_an_unknown_choice_is_an_error(make):
    with pytest.raises(UserError, match="expected"):
        make()


def test_a_detector_has_no_pixels():
    given = inputs([0], [0])
    given.pixels = None
    with pytest.raises(UserError, match="distillers of a detector"):
        PixelWordTerm()(given)
