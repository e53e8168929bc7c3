"""The segmentor that names the masks of a detector."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from mmdet.registry import MODELS

from ovdistill.models.config import load_config
from ovdistill.segmentation.models.mask_word import _mixed
from tests.batches import losses_of, make_vocabulary, without_gradient
from tests.segmentation.small import dense_teacher, labelled_batch


@pytest.fixture
def model():
    recipe = load_config("maskword_r18_shapes", {"model.detector.init_cfg": None})
    model = MODELS.build({**recipe.model, "vocabulary": make_vocabulary(6, novel=2)})
    model.init_weights()
    return model


def test_the_pixel_head_learns_and_the_detector_stays(model):
    before = {key: value.clone() for key, value in model.detector.state_dict().items()}
    loss, _ = losses_of(model, labelled_batch())
    loss.backward()
    assert not without_gradient(model)
    assert all(p.grad is None for p in model.detector.parameters())
    assert all(torch.equal(v, before[k]) for k, v in model.detector.state_dict().items())
    assert not model.detector.training and model.pixel_head.training


def predict(model, data=None):
    with torch.no_grad():
        return model.eval().test_step(data or labelled_batch())


@pytest.mark.parametrize("share", [None, (0.4, 0.8)])
def test_predictions_with_and_without_the_teacher(model, share):
    model.teacher_share = share
    assert model.needs_dense_teacher == (share is not None)
    model.least_object = 0.0
    model.set_dense_teacher(dense_teacher())
    for sample in predict(model):
        assert sample.pred_sem_seg.sem_seg.shape == (1, 32, 32)
        assert ((sample.pred_sem_seg.scores > 0) & (sample.pred_sem_seg.scores <= 1.001)).all()


def test_other_names_reach_detector_and_pixels(model):
    model.set_vocabulary(make_vocabulary(9, novel=1))
    assert len(model.detector.vocabulary) == len(model.vocabulary) == 9
    predict(model)


def test_without_masks_the_pixel_head_names_everything(model):
    model.least_object = 2.0
    data = labelled_batch()
    found = predict(model, deepcopy(data))[0].pred_sem_seg.sem_seg[0]
    data = model.data_preprocessor(data, False)
    with torch.no_grad():
        grid = model.pixel_head.log_scores(model.embed_pixels(data["inputs"])).exp()[:1]
    size = dict(mode="bilinear", align_corners=False)
    whole = torch.nn.functional.interpolate(grid, size=(64, 64), **size)
    whole = torch.nn.functional.interpolate(whole, size=(32, 32), **size)
    assert torch.equal(found, whole[0].argmax(dim=0))


def test_masks_and_label_map_are_joined_to_a_panoptic_map(model):
    model.least_object = 0.0
    model.stuff = None
    assert "pred_panoptic_seg" not in predict(model)[0]
    names = model.vocabulary.names
    model.stuff = frozenset(names[4:])
    (found, _) = predict(model)
    rows, segments = found.pred_panoptic_seg.sem_seg, found.pred_panoptic_seg.segments
    assert rows.shape == segments.shape == (1, 32, 32)
    assert ((rows < 4) == (segments > 0))[rows >= 0].all()
    stuff = rows >= 4
    assert torch.equal(rows[stuff], found.pred_sem_seg.sem_seg[stuff])


def test_masks_claim_what_they_are_sure_of():
    """One row of pixels: two masks, one, none."""
    masks = torch.tensor([[[True, True, False]], [[True, False, False]]])
    scores = torch.tensor([[0.6, 0.2], [0.1, 0.3]])  # objects with 0.8 and 0.4
    grid = torch.tensor([0.3, 0.7])[:, None, None].expand(2, 1, 3)
    meta = dict(batch_input_shape=(1, 3), img_shape=(1, 3), ori_shape=(1, 3))
    found = _mixed(masks, scores, grid, meta, slice(0, 2))[:, 0].T
    both = torch.tensor([0.7, 0.5]) / 1.2 * 0.8 + 0.2 * torch.tensor([0.3, 0.7])
    one = torch.tensor([0.6, 0.2]) + 0.2 * torch.tensor([0.3, 0.7])
    torch.testing.assert_close(found, torch.stack([both, one, torch.tensor([0.3, 0.7])]))
    torch.testing.assert_close(found.sum(dim=1), torch.ones(3))
