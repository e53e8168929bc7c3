"""The segmentor that names the masks of a detector."""

from __future__ import annotations

from copy import deepcopy
from functools import partial

import pytest
import torch
from mmdet.registry import MODELS

from ovdistill.core.errors import UserError
from ovdistill.models.config import load_config
from ovdistill.models.fitting_weights import missing_weights
from ovdistill.segmentation.losses.mask_word import pool_masks
from ovdistill.segmentation.models import mask_word
from ovdistill.segmentation.models.mask_word import NamedImage
from tests.batches import build, losses_of, make_vocabulary, without_gradient
from tests.segmentation import small
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


def started_from(network, path):
    """The segmentor whose detector starts from the weights of another network."""
    torch.save(network.state_dict(), path)
    recipe = load_config("maskword_r18_shapes", {"detector": str(path)})
    model = MODELS.build({**recipe.model, "vocabulary": network.vocabulary})
    model.init_weights()
    return model


def test_the_detector_has_all_of_its_weights_from_its_checkpoint(tmp_path):
    detector = build("best_r18_shapes", make_vocabulary(6))
    weights = detector.state_dict()
    model = started_from(detector, tmp_path / "best.pth")
    assert all(torch.equal(v, weights[k]) for k, v in model.detector.named_parameters())


@pytest.mark.parametrize(
    ("make", "missing"),
    [(small.build, "rpn_head"), (partial(build, "focal_r18_shapes"), "roi_head.*background")],
)
def test_a_checkpoint_that_leaves_parts_of_the_detector_random_is_refused(make, missing, tmp_path):
    network = make(vocabulary=make_vocabulary(6))
    with pytest.raises(UserError, match=rf"other\.pth lacks.* {missing}.*detector=FILE"):
        started_from(network, tmp_path / "other.pth")


@pytest.mark.parametrize(
    ("name", "detector"),
    [("maskword_r18_shapes", "best_r18_shapes"), ("maskword_r50_coco", "vild_r50_coco")],
)
def test_the_recipe_that_trains_the_detector_gives_it_every_parameter(name, detector):
    given = {"vocabulary": make_vocabulary(6)}
    own = MODELS.build({**load_config(name).model.detector, **given})
    trained = MODELS.build({**load_config(detector).model, **given})
    assert not missing_weights(dict(own.named_parameters()), trained.state_dict())


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


def test_the_teacher_is_pooled_on_its_own_grid(model, monkeypatch):
    """At the size of the image, its channels would take gigabytes."""
    seen = []

    def pool(pixels, masks):
        seen.append((pixels.shape[1:], masks.shape[1:]))
        return pool_masks(pixels, masks)

    monkeypatch.setattr(mask_word, "pool_masks", pool)
    model.teacher_share, model.least_object = (0.4, 0.8), 0.0
    model.set_dense_teacher(dense_teacher())
    predict(model)
    assert seen == [((8, 8), (8, 8))] * 2  # an input of 64 pixels, in steps of 8


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


def test_unsure_masks_are_no_instances_and_label_maps_mix_them(model):
    model.stuff = frozenset(model.vocabulary.names[4:])
    masks = torch.zeros(2, 32, 32, dtype=torch.bool)
    masks[0, :16], masks[1, 16:] = True, True
    scores = torch.zeros(2, 6)
    scores[0, 1], scores[1, 2] = 0.7, 0.5
    image, label_map = NamedImage(masks, scores, None), torch.full((32, 32), 4)
    assert model._panoptic(image, label_map).sem_seg.unique().tolist() == [1, 2]
    model.least_score = 0.6
    assert model._panoptic(image, label_map).sem_seg.unique().tolist() == [1, 4]
    model.least_object, model.least_score = 0.0, 0.0
    data = labelled_batch()
    sure = predict(model, deepcopy(data))[0]
    model.least_score = 2.0
    unsure = predict(model, data)[0]
    assert sure.pred_panoptic_seg.segments.any() and not unsure.pred_panoptic_seg.segments.any()
    assert torch.equal(sure.pred_sem_seg.scores, unsure.pred_sem_seg.scores)


def test_stuff_is_compared_as_cleaned_and_its_smallest_area_is_a_setting(model):
    names = model.vocabulary.names
    recipe = load_config("maskword_r18_shapes", {"model.detector.init_cfg": None})
    stuff = [names[4].upper(), f"{names[5]}."]
    options = dict(stuff=stuff, least_area=2000, least_object=2.0)
    other = MODELS.build({**recipe.model, "vocabulary": model.vocabulary, **options})
    other.load_state_dict(model.state_dict())
    whole = torch.tensor(4).expand(32, 32)
    image = NamedImage(torch.zeros(0, 32, 32) > 0, torch.zeros(0, 6), None)
    assert (other._panoptic(image, whole).sem_seg == -1).all()  # 1,024 pixels are too few
    other.least_area = 1000
    assert (other._panoptic(image, whole).sem_seg == 4).all()


def test_stuff_that_the_configs_vocabulary_lacks_is_an_error(model, tmp_path):
    recipe = load_config("maskword_r18_shapes", {"model.detector.init_cfg": None})
    model.vocabulary.save(tmp_path / "v.safetensors")
    options = dict(vocabulary=str(tmp_path / "v.safetensors"), stuff=["sky-other-merged"])
    with pytest.raises(UserError, match=r"'sky-other-merged'.*vocabulary"):
        MODELS.build({**recipe.model, **options})
    MODELS.build({**recipe.model, **options, "vocabulary": model.vocabulary})  # a user's own
