"""Pipelines of another size, and evaluators of another file."""

import pytest

from ovdistill.commands.init_dataset.pipelines import own_evaluators, parse_image_size, resized
from ovdistill.core.errors import UserError


@pytest.mark.parametrize(
    ("text", "sides"),
    [("640", (640, 640)), ("800x1333", (800, 1333)), ("1333,800", (800, 1333))],
)
def test_sizes(text, sides):
    assert parse_image_size(text) == sides


@pytest.mark.parametrize("text", ["", "31", "640x", "x640", "a", "1x2x3", "-640", "999999"])
def test_what_is_no_size(text):
    with pytest.raises(UserError, match="--image-size"):
        parse_image_size(text)


def test_every_step_that_has_a_size_gets_the_new_one():
    old = [
        dict(type="LoadImage"),
        dict(type="RandomResize", scale=(1024, 1024), ratio_range=(0.1, 2.0)),
        dict(type="RandomChoiceResize", scales=[(1333, 640), (1333, 800)]),
        dict(type="RandomCrop", crop_type="absolute", crop_size=(1024, 1024)),
        dict(type="RandomCrop", crop_type="relative", crop_size=(0.5, 0.5)),
        dict(type="Pad", size=(1024, 1024)),
        dict(type="Other", scales=[0.5, 2.0]),
    ]
    new = resized(old, (400, 600))
    assert new[1] == dict(type="RandomResize", scale=(600, 400), ratio_range=(0.1, 2.0))
    assert new[2]["scales"] == [(600, 320), (600, 400)]
    assert new[3]["crop_size"] == new[5]["size"] == (600, 600)
    assert new[4]["crop_size"] == (0.5, 0.5)
    assert new[6] == old[6] and len(new) == len(old)
    assert old[1]["scale"] == (1024, 1024)  # the recipe's own is as it was


def test_a_pipeline_that_does_not_resize_does_after_loading():
    old = [dict(type=kind) for kind in ("LoadImage", "LoadTeacherRegions", "RandomFlip")]
    steps = resized(old, (64, 96))
    assert [step["type"] for step in steps][2:] == ["OVResize", "RandomFlip"]
    assert steps[2]["scale"] == (96, 64)


def test_evaluators():
    (only,) = own_evaluators(None, lvis=True, masks=True)
    assert only["protocol"] == "lvis" and only["metrics"] == ("bbox", "segm")
    given = dict(type="OVMetric", ann_file="x", metrics="bbox", protocol="lvis", max_dets=50)
    (only,) = own_evaluators(given, lvis=True, masks=True)
    assert only == dict(given, ann_file="{data_root}/{val_ann}", metrics=("bbox",))
    assert given["ann_file"] == "x"
