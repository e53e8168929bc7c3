"""The words of OVShapes: 5 patterns x 13 shapes = 65 categories, 8 colours.

A category is "pattern shape" ("striped star"). Colours and backgrounds occur in captions only, so
that a detector can be asked for them through the teacher ("red striped star") although no label
ever names one.
"""

from __future__ import annotations

from collections.abc import Sequence

PATTERNS = ("solid", "striped", "dotted", "checkered", "outlined")
SHAPES = (
    "circle",
    "square",
    "triangle",
    "star",
    "pentagon",
    "hexagon",
    "cross",
    "ring",
    "heart",
    "crescent",
    "arrow",
    "diamond",
    "ellipse",
)
COLOURS: dict[str, tuple[int, int, int]] = {  # RGB, 0-255
    "red": (214, 32, 36),
    "orange": (255, 136, 8),
    "yellow": (250, 226, 40),
    "green": (34, 150, 52),
    "cyan": (40, 208, 222),
    "blue": (36, 72, 214),
    "purple": (118, 36, 160),
    "pink": (255, 122, 188),
}
BACKGROUNDS = ("plain", "shaded", "noisy", "cloudy", "scribbled", "blotchy")


def category_names() -> tuple[str, ...]:
    """Names of the 65 categories, pattern-major; category id = index + 1."""
    return tuple(f"{pattern} {shape}" for pattern in PATTERNS for shape in SHAPES)


def object_phrase(colour: str, pattern: str | None, shape: str) -> str:
    """Noun phrase with its article: ("orange", "striped", "star") -> "an orange striped star".

    Args:
        colour: a key of ``COLOURS``, or "" for none ("an outlined heart").
        pattern: one of ``PATTERNS``, or None to leave it out (usual for "solid").
        shape: one of ``SHAPES``.
    """
    words = " ".join(word for word in (colour, pattern, shape) if word)
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def scene_caption(objects: Sequence[tuple[str, str | None, str]], background: str) -> str:
    """Caption of an image: "a red striped star and a green ring on a noisy background".

    Args:
        objects: at least one (colour, pattern or None, shape), in the order to be named.
        background: one of ``BACKGROUNDS``, or "" to leave it out.
    """
    phrases = [object_phrase(*words) for words in objects]
    text = phrases[-1] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"
    return f"{text} on a {background} background" if background else text
