"""Categories of OVShapes, and the sentences that name them."""

from __future__ import annotations

import pytest

from ovdistill.ovshapes.categories import (
    BACKGROUNDS,
    PATTERNS,
    SHAPES,
    category_names,
    object_phrase,
    scene_caption,
)
from ovdistill.vocabulary.splits import OVSHAPES_NOVEL


def test_names_are_pattern_major():
    names = category_names()
    assert len(names) == len(set(names)) == 65
    assert names[:2] == ("solid circle", "solid square")
    assert names[13] == "striped circle"
    assert names[64] == "outlined ellipse"


def test_shape_split_holds_out_whole_shapes():
    novel = OVSHAPES_NOVEL["shape"]
    base = set(category_names()) - set(novel)
    assert len(novel) == 15 and len(base) == 50
    assert {name.split()[1] for name in novel} == {"heart", "hexagon", "arrow"}
    assert not {name.split()[1] for name in base} & {"heart", "hexagon", "arrow"}


def test_compositional_split_keeps_every_pattern_and_shape_in_base():
    novel = OVSHAPES_NOVEL["compositional"]
    base = set(category_names()) - set(novel)
    assert len(novel) == 17 and len(base) == 48
    assert {name.split()[0] for name in base} == set(PATTERNS)
    assert {name.split()[1] for name in base} == set(SHAPES)
    assert {name.split()[0] for name in novel} == set(PATTERNS)
    assert {name.split()[1] for name in novel} == set(SHAPES)
    assert list(novel) == sorted(novel, key=category_names().index)


@pytest.mark.parametrize(
    ("words", "phrase"),
    [
        (("red", "striped", "star"), "a red striped star"),
        (("orange", None, "heart"), "an orange heart"),
        (("", "outlined", "ring"), "an outlined ring"),
        (("", None, "ellipse"), "an ellipse"),
    ],
)
def test_object_phrase(words, phrase):
    assert object_phrase(*words) == phrase


def test_caption_grammar():
    star, ring, arrow = (
        ("red", "striped", "star"),
        ("green", None, "ring"),
        ("", "outlined", "arrow"),
    )
    assert scene_caption([star], "plain") == "a red striped star on a plain background"
    assert (
        scene_caption([star, ring], "noisy")
        == "a red striped star and a green ring on a noisy background"
    )
    assert scene_caption([star, ring, arrow], "") == (
        "a red striped star, a green ring and an outlined arrow"
    )
    assert not any(word[0] in "aeiou" for word in BACKGROUNDS)  # "on a ..." holds for all
