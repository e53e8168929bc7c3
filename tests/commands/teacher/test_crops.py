"""Ways to crop as text."""

import pytest

from ovdistill.commands.teacher.crops import crop_policies
from ovdistill.core.errors import UserError
from ovdistill.teacher import CropPolicy, DenseRegions

OWN = CropPolicy(scales=(1.0, 1.5), shape="square", fuse="norm_then_mean", fill=(9, 9, 9))


def test_what_is_asked_for_takes_the_rest_from_the_teacher():
    found = crop_policies(["clip:1", "pad:0.75+2", "own"], OWN)
    assert [*found] == ["clip:1", "pad:0.75+2", "square:1+1.5"]
    assert found["pad:0.75+2"] == CropPolicy((0.75, 2.0), "pad", "norm_then_mean", (9, 9, 9))
    assert found["square:1+1.5"] == OWN


def test_the_usual_ones_begin_with_the_teachers_own_and_have_none_twice():
    assert len(crop_policies([], OWN)) == 6
    wide = CropPolicy(scales=(2.0,), shape="squash")
    found = crop_policies([], wide)
    assert next(iter(found)) == "squash:2" and len(found) == 7


@pytest.mark.parametrize(
    "text",
    [
        "clip",
        "clip:",
        "clip:a",
        "round:1",
        "clip:0",
        "clip:nan",
        "dense:",
        "dense:1.5",
        "dense:0",
        "dense:96:",
        "dense:96:0",
        "dense:96:3:1",
        "",
    ],
)
def test_other_texts(text):
    with pytest.raises(UserError):
        crop_policies([text], OWN)


def test_one_pass_over_the_image():
    dense = DenseRegions(512)
    found = crop_policies(["own", "dense:96", "clip:1"], dense)
    assert [*found] == ["dense:512", "dense:96", "clip:1"]
    staged = crop_policies(["dense:96:3"], OWN)
    assert staged == {"dense:96:3": DenseRegions(96, 3)}
    assert found["dense:512"] == dense and found["clip:1"] == CropPolicy((1.0,), "clip")
