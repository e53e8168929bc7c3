"""Segmentation by the teacher alone."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.segmentation.data.label_map import IGNORE
from ovdistill.segmentation.dense_teacher import DenseTeacher
from ovdistill.segmentation.zero_shot import grid_scores, zero_shot_segmentation
from ovdistill.vocabulary import Vocabulary
from tests.batches import D, make_vocabulary
from tests.segmentation.small import Dense, dense_teacher

RED, BLUE = torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0, 0.0, 1.0])


@pytest.fixture
def teacher() -> DenseTeacher:
    return dense_teacher()


def image() -> torch.Tensor:
    """32 x 48 pixels, red on the left and blue on the right."""
    pixels = torch.zeros(3, 32, 48)
    pixels[:, :, :24], pixels[:, :, 24:] = RED[:, None, None], BLUE[:, None, None]
    return (pixels * 255).byte()


def embeddings(teacher: DenseTeacher) -> torch.Tensor:
    """The teacher's embeddings of red and of blue."""
    colours = torch.stack([RED, BLUE])[:, :, None, None].expand(2, 3, 8, 8)
    return teacher.teacher.encode_dense(colours)[:, :, 0, 0].detach()


def vocabulary_of(rows: torch.Tensor) -> Vocabulary:
    names = tuple(f"colour {i}" for i in range(len(rows)))
    return Vocabulary(names, rows, torch.ones(len(rows)) > 0, TeacherId("test"))


def test_pixels_get_the_name_of_their_colour(teacher):
    labels, scores = zero_shot_segmentation(teacher, image(), vocabulary_of(embeddings(teacher)))
    assert (labels[:, :20] == 0).all() and (labels[:, 28:] == 1).all()
    assert labels.shape == scores.shape == (32, 48) and (scores >= 0.5).all()
    again, _ = zero_shot_segmentation(teacher, image() / 255, vocabulary_of(embeddings(teacher)))
    assert torch.equal(labels, again)


def test_what_is_nearer_to_a_background_has_no_name(teacher):
    red, blue = embeddings(teacher).split(1)
    labels, _ = zero_shot_segmentation(teacher, image(), vocabulary_of(red), background=blue)
    assert (labels[:, :20] == 0).all() and (labels[:, 28:] == IGNORE).all()


def test_names_that_are_nowhere_likely_are_left_out():
    texts = normalize(torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.7, 0.7]]), dim=1)
    dense = normalize(torch.tensor([[1.0, 0.2], [0.3, 1.0]]), dim=1).T.reshape(2, 1, 2)
    plain = grid_scores(dense, texts, 0.2)
    assert (plain > 0).all()
    denoised = grid_scores(dense, texts, 0.2, denoise=0.5)
    assert (denoised[2] == 0).all() and (denoised[:2] > plain[:2]).all()
    # nobody is above 1; the best name stays
    assert (grid_scores(dense, texts, 0.2, denoise=1.5).sum(dim=0) > 0.99).all()


def test_smoothing_averages_over_similar_positions():
    texts = torch.eye(2)
    dense = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]).T.reshape(2, 1, 3)
    smooth = grid_scores(dense, texts, 1.0, smooth=True)[:, 0]
    # similarities of the first position: 1, 0.8 and 0
    expected = torch.tensor([1 + 0.8 * 0.8, 0.8 * 0.6]) / 1.8
    torch.testing.assert_close(smooth[:, 0], expected.softmax(dim=0))


def test_the_vocabulary_is_of_the_teacher(teacher):
    with pytest.raises(UserError, match="other"):
        other = make_vocabulary(2)
        zero_shot_segmentation(
            teacher,
            image(),
            Vocabulary(other.names, other.embeddings, other.is_base, TeacherId("other")),
        )
    with pytest.raises(UserError, match="background"):
        zero_shot_segmentation(teacher, image(), make_vocabulary(2), torch.ones(1, D + 1))


def test_images_are_resized_to_multiples_of_the_stride():
    teacher = DenseTeacher(Dense(), scale=1.5)
    found = teacher.embed(torch.rand(1, 3, 30, 41))
    assert teacher.teacher.seen == [torch.Size([1, 3, 48, 64])] and found.shape == (1, D, 6, 8)
    bounded = DenseTeacher(Dense(), size=96)
    assert bounded.embed(torch.rand(1, 3, 30, 41)).shape == (1, D, 9, 12)
    assert (bounded.input_size(48, 30), bounded.input_size(9, 900)) == ((96, 64), (8, 96))
    sized = teacher.embed(torch.rand(1, 3, 30, 41), size=(10, 20))
    assert sized.shape == (1, D, 10, 20)
    torch.testing.assert_close(sized.norm(dim=1), torch.ones(1, 10, 20))
    assert not sized.requires_grad
