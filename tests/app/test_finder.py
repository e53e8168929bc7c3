"""What the page asks the detector: an image once, names as often as people like."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ovdistill.app.finder import LOWEST_SCORE, MOST_NAMES, Finder, read_background, read_names
from ovdistill.core.assets import SAMPLE_IMAGE
from ovdistill.core.errors import UserError
from ovdistill.core.images import read_image
from ovdistill.inference.detector import Detector

TEXT = "red striped heart, green star"


@pytest.fixture(scope="module")
def finder() -> Finder:
    return Finder(Detector.from_pretrained("ovshapes", device="cpu"))


def test_other_names_find_what_a_new_look_finds(finder: Finder) -> None:
    image = read_image(SAMPLE_IMAGE)
    look = finder.look(image, "a.png", TEXT)
    again = finder.ask(look, "outlined cross\nsolid circle, zebra")
    new = finder.look(image, "a.png", "outlined cross, solid circle, zebra")
    assert look.detections.counts == {"red striped heart": 1, "green star": 1}
    assert again.detections.names == new.detections.names
    np.testing.assert_array_equal(again.detections.scores, new.detections.scores)
    assert again.detections.scores.min() >= LOWEST_SCORE
    assert any("zebra" in note for note in again.notes)
    assert again.seconds == look.seconds > again.name_seconds  # the image was seen once
    assert (again.detections.path, again.detections.image is image) == ("a.png", True)
    assert again.detections.masks is None and len(again.masks.first(99)) == len(again.detections)


def test_an_image_waits_for_names(finder: Finder) -> None:
    look = finder.look(read_image(SAMPLE_IMAGE), "a.png", " ")
    assert look.detections is None
    assert len(finder.ask(look, TEXT).detections) == 2


def test_the_names_that_fit_are_those_of_the_visitor_who_asks(finder: Finder) -> None:
    image = read_image(SAMPLE_IMAGE)
    mine = finder.look(image, "a.png", "green star, ring")
    finder.look(image, "b.png", "solid circle", "none")  # somebody else
    ranked = finder.rank_names(mine, 0)
    assert ranked[0] == (mine.detections.names[0], pytest.approx(mine.detections.scores[0]))
    assert [score for _, score in ranked] == sorted((s for _, s in ranked), reverse=True)
    assert len(ranked) == 5
    assert set(dict(ranked)) - {"green star", "ring"}  # what competes with my names, not with hers


def test_what_competes_may_be_spelled_as_it_likes(finder: Finder) -> None:
    look = finder.look(read_image(SAMPLE_IMAGE), "a.png", "green star", "Green_Star, ring, Ring.")
    assert [name for name, _ in finder.rank_names(look, 0)] == ["green star", "ring"]


def test_without_regions_the_runner_up_is_all_that_is_known(finder: Finder) -> None:
    look = finder.look(read_image(SAMPLE_IMAGE), "a.png", TEXT)
    one_stage = replace(look, detections=replace(look.detections, regions=None))
    best, second = finder.rank_names(one_stage, 0)
    assert best[0] == look.detections.names[0]
    assert second == look.detections[0].runner_up


def test_a_text_never_names_a_file(tmp_path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("secret")
    assert read_names(str(names)) == [str(names)]
    assert read_names('red star, "cup, with handle"\n ring ,') == [
        "red star",
        "cup, with handle",
        "ring ",
    ]


@pytest.mark.parametrize(
    "text, message",
    [
        (" , ", "nothing to look for"),
        ('star, "ring', "not closed"),
        ("a," * (MOST_NAMES + 1), f"at most {MOST_NAMES}"),
        ("a" * 20_000, "20000 characters"),
    ],
)
def test_bad_names_are_errors(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_names(text)


@pytest.mark.parametrize(
    "text, background",
    [("auto", "auto"), (" Auto ", "auto"), ("", None), ("none", None), ("a, b", ["a", "b"])],
)
def test_what_competes(text: str, background: object) -> None:
    assert read_background(text) == background
