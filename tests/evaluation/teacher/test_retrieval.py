"""Recall between images and captions, by hand and against all pairs."""

import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.evaluation.teacher import retrieval
from ovdistill.evaluation.teacher.retrieval import measure_retrieval


def shares(found):
    return [[own.share for own in way] for way in (found.image_to_text, found.text_to_image)]


def test_by_hand():
    """Image 0 has two captions, of which the second fits; image 1 is nearest to image 0's."""
    images = torch.eye(3)[:2]
    texts = normalize(torch.tensor([[0.0, 1, 0], [1, 0, 0], [0, 0.5, 1]]), dim=1)
    found = measure_retrieval(images, texts, torch.tensor([0, 0, 1]))
    assert (found.images, found.captions) == (2, 3)
    to_text, to_image = shares(found)
    assert to_text == [0.5, 1, 1]  # any caption of image 0 counts; that of image 1 comes second
    assert to_image == [pytest.approx(2 / 3), 1, 1]  # the first caption finds image 1


def test_against_sorting_all_pairs(monkeypatch):
    monkeypatch.setattr(retrieval, "ROWS_PER_PASS", 7)
    images = normalize(torch.randn(40, 6), dim=1)
    image_of = torch.arange(40).repeat_interleave(3)
    texts = normalize(images[image_of] + 0.8 * torch.randn(120, 6), dim=1)
    order = torch.randperm(120)  # captions of an image need not follow one another
    texts, image_of = texts[order], image_of[order]
    similarities = images @ texts.T
    to_text, to_image = shares(measure_retrieval(images, texts, image_of))
    for level, own in zip(retrieval.LEVELS, to_text, strict=True):
        nearest = similarities.topk(level, dim=1).indices
        hit = (image_of[nearest] == torch.arange(40)[:, None]).any(dim=1)
        assert own == pytest.approx(float(hit.float().mean()))
    for level, own in zip(retrieval.LEVELS, to_image, strict=True):
        nearest = similarities.T.topk(level, dim=1).indices
        assert own == pytest.approx(float((nearest == image_of[:, None]).any(1).float().mean()))
    assert 0 < to_text[0] < 1 and 0 < to_image[0] < 1


def test_equal_captions_are_no_gift():
    """Two images with the same embedding and the same caption: one of each is found first."""
    same = torch.tensor([[1.0, 0], [1, 0]])
    to_text, to_image = shares(measure_retrieval(same, same, torch.tensor([0, 1])))
    assert to_text[0] == to_image[0] == 0.5
