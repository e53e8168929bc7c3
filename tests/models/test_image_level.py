"""Batches of images without boxes: only distillation terms learn from them."""

import pytest

from ovdistill.core.errors import UserError

from ..batches import batch, build, loss_dict, losses_of, make_vocabulary, without_gradient

RECIPES = ["rkd_pseudo_r18_shapes", "hierkd_atss_r18_shapes"]


def image_level(data: dict, count: int = 2) -> dict:
    for sample in data["data_samples"][:count]:
        sample.set_metainfo(dict(image_level=True))
    return data


@pytest.mark.parametrize("name", RECIPES)
def test_detection_losses_are_zero_and_reach_every_weight(name):
    model = build(name, make_vocabulary(7))
    loss, logged = losses_of(model, image_level(batch((3, 2), (0, 0))))
    loss.backward()
    assert loss > 0 and without_gradient(model) == []
    distilled = {key for key in logged if "rkd" in key or "hierkd" in key}
    others = {key for key in logged if "loss_" in key} - distilled
    assert len(others) >= 3 and all(logged[key] == 0 for key in others)
    assert any(logged[key] > 0 for key in distilled)


@pytest.mark.parametrize("name", RECIPES)
def test_without_a_term_nothing_is_learned(name):
    model = build(name, make_vocabulary(7), distillers=[])
    assert losses_of(model, image_level(batch((3, 2), (0, 0))))[0] == 0


def test_a_batch_of_both_kinds_is_refused():
    model = build(RECIPES[0], make_vocabulary(7))
    with pytest.raises(UserError, match=r"1 images without boxes .* and 1 with.*InfiniteSource"):
        loss_dict(model, image_level(batch((3, 2)), 1))
