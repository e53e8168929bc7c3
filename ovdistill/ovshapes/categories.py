"""Categories of OVShapes, 5 patterns x 13 shapes = 65, and the sentences that describe scenes.

A category is "pattern shape" ("striped star"). The 8 colours and the backgrounds occur in captions
only. So a detector can be asked for "red striped star" through its teacher, although no category
has a colour.
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
    """Return the names of the 65 categories, pattern by pattern; category id = index + 1."""
    return tuple(f"{pattern} {shape}" for pattern in PATTERNS for shape in SHAPES)


def object_phrase(colour: str, pattern: str | None, shape: str) -> str:
    """Return a noun phrase: ("orange", "striped", "star") -> "an orange striped star".

    Args:
        colour: a key of ``COLOURS``, or "" for none ("an outlined heart").
        pattern: one of ``PATTERNS``, or None to leave it out, as people do with "solid".
        shape: one of ``SHAPES``.
    """
    words = " ".join(word for word in (colour, pattern, shape) if word)
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def scene_caption(objects: Sequence[tuple[str, str | None, str]], background: str) -> str:
    """Return the caption of a scene: "a red striped star and a green ring on a noisy background".

    Args:
        objects: at least one (colour, pattern or None, shape), in the order to be named.
        background: one of ``BACKGROUNDS``, or "" to leave it out.
    """
    phrases = [object_phrase(*words) for words in objects]
    text = phrases[-1] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"
    return f"{text} on a {background} background" if background else text
