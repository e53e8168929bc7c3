"""Regions and captions of a store are added to the record of an image."""

import numpy as np
import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.datasets.transforms.load_regions import LoadTeacherCaption, LoadTeacherRegions
from ovdistill.store import Regions, write_store
from ovdistill.store.captions import write_captions

BOXES = torch.tensor([[6.0, 4.0, 26.0, 24.0], [30.0, 10.0, 54.0, 34.0]])


def test_load_keeps_the_best_and_refuses_an_unknown_image(tmp_path):
    path = tmp_path / "regions"
    regions = Regions(BOXES, torch.tensor([0.2, 0.9]), torch.eye(4)[:2])
    write_store(path, [(7, regions)], {})
    load = LoadTeacherRegions(path, max_regions=1)
    assert load(dict(img_id=7))["teacher_regions"].boxes.tolist() == [BOXES[1].tolist()]
    with pytest.raises(UserError, match="image 8"):
        load(dict(img_id=8))


@pytest.fixture
def captions(tmp_path):
    """Image 7 has two captions: row 0 with phrases 1 and 2, row 3 with none."""
    write_captions(tmp_path / "captions", {7: [(0, [1, 2]), (3, [])]}, torch.eye(4), {})
    return tmp_path / "captions"


def test_captions_are_drawn_at_random_with_their_phrases(captions):
    load = LoadTeacherCaption(captions)
    np.random.seed(0)
    drawn = [load(dict(img_id=7))["teacher_caption"] for _ in range(20)]
    assert {(int(c.embedding.argmax()), len(c.phrases)) for c in drawn} == {(0, 2), (3, 0)}
    with pytest.raises(UserError, match="image 8"):
        load(dict(img_id=8))


def test_only_the_first_phrases_are_kept(captions):
    load = LoadTeacherCaption(captions, max_phrases=1)
    drawn = [load(dict(img_id=7))["teacher_caption"] for _ in range(20)]
    assert {tuple(c.phrases.argmax(dim=1).tolist()) for c in drawn} == {(1,), ()}
