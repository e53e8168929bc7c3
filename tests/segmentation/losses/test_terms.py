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
    """A row of pixels whose teacher's embeddings are the texts of some names; -1 is unlabelled."""
    student = normalize(torch.randn(1, 4, 1, len(labels)), dim=1).requires_grad_()
    rows = torch.tensor([[labels]])
    pixels = DistillPixels(
        student=student,
        labels=rows,
        unlabelled=rows < 0,
        inside=torch.ones(1, 1, len(labels)) > 0,
        teacher=TEXTS[teacher].T.reshape(1, 4, 1, -1) if dense else None,
        teacher_temperature=0.1 if dense else None,
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


def test_labels_of_novel_names_are_none_unless_these_are_trained():
    """As `labelled="all"` gives them: the loss would be infinite."""
    given = inputs([0, 3, 1], [0, 2, 1], dense=False)
    found = gradient(PixelWordTerm(), given)
    assert found.isfinite().all() and found[..., 1].abs().sum() == 0
    loss = PixelWordTerm()(given)["loss_pixel_word"]
    given.pixels.labels[..., 1] = -1
    assert loss.isfinite() and loss == PixelWordTerm()(given)["loss_pixel_word"]


def test_embedding_distillation_leaves_out_pixels_of_no_class():
    given = inputs([0, -1, -1], [0, 2, 3])
    given.pixels.unlabelled[..., 1] = False  # a border between objects
    found = gradient(PixelEmbeddingTerm(), given)
    assert (found.abs().sum(dim=1) > 0).tolist() == [[[False, False, True]]]


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
    assert gradient(term, given)[0, :, 0, 1].argmin() == 3  # towards the teacher's name
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
    used = PseudoLabelTerm(self_training_after=3)
    used(inputs([-1], [2]))
    used.load_state_dict(dict(step=torch.tensor(3)))
    assert used(given)["loss_pseudo_label"] > 0


def test_pseudo_labels_among_all_names_are_an_option():
    given = inputs([-1], [0])
    found = gradient(PseudoLabelTerm(self_training_after=5, names="all"), given)
    assert found[0, :, 0, 0].argmin() == 0
    assert gradient(PseudoLabelTerm(self_training_after=5), given)[0, :, 0, 0].argmin() >= 2


def test_a_pixel_with_a_pseudo_label_weighs_as_much_as_a_labelled_one():
    given = inputs([0, 1, 1, 0, 1, 0, 1, -1], [2] * 8)
    loss = PseudoLabelTerm(self_training_after=5)(given)["loss_pseudo_label"]
    # the cross-entropy of an oracle to whom the teacher's name of the last pixel is its label
    given.pixels.labels[..., -1] = 2
    oracle = PixelWordTerm(train_novel=True)(given)["loss_pixel_word"]
    torch.testing.assert_close(loss, oracle)


def test_pixels_of_no_class_get_no_pseudo_label():
    given = inputs([0, -1, -1], [0, 2, 3])
    given.pixels.unlabelled[..., 1] = False  # a border between objects, or padding
    found = gradient(PseudoLabelTerm(self_training_after=5), given)
    assert (found.abs().sum(dim=1) > 0).tolist() == [[[True, False, True]]]


@pytest.mark.parametrize("temperature, labelled", [(0.1, True), (10.0, False)])
def test_a_teacher_is_as_sure_as_its_own_temperature_says(temperature, labelled):
    given = inputs([-1], [2])
    given.pixels.teacher_temperature = temperature
    # among the two novel names: sigmoid(1 / 0.1) = 1.00, sigmoid(1 / 10) = 0.52
    found = gradient(PseudoLabelTerm(self_training_after=5, least=0.9), given)
    assert bool(found.abs().sum() > 0) == labelled


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
