"""Noun phrases of captions of OVShapes and in the style of COCO's."""

import pytest

from ovdistill.extraction.noun_phrases import noun_phrases

CASES = {
    "a red striped star and a green ring on a noisy background": (
        "red striped star",
        "green ring",
        "noisy background",
    ),
    "a heart, an orange outlined heart and a heart": ("heart", "orange outlined heart"),
    "A man riding a horse on the beach.": ("man", "horse", "beach"),
    "Two zebras are grazing near a brick building": ("zebras", "grazing", "brick building"),
    "A woman's well-worn shoes sit next to the bed": ("woman's well-worn shoes sit", "bed"),
    "a person dressed in red holding an umbrella": ("person", "red", "umbrella"),
    "": (),
    "on the 3 of, a": (),
}


@pytest.mark.parametrize("caption", CASES)
def test_noun_phrases(caption):
    assert noun_phrases(caption) == CASES[caption]


def test_every_object_of_the_embedded_benchmark_is_a_phrase():
    from ovdistill.ovshapes.categories import COLOURS, PATTERNS, SHAPES
    from ovdistill.ovshapes.categories import scene_caption as write

    objects = [(c, p, s) for c in COLOURS for p in (*PATTERNS, None) for s in SHAPES]
    for words in objects:
        phrase = " ".join(word for word in words if word)
        assert noun_phrases(write([words, ("", "dotted", "cross")], "shaded")) == (
            phrase,
            "dotted cross",
            "shaded background",
        )
