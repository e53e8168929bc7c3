"""The words of OVShapes: 5 patterns x 13 shapes = 65 categories, 8 colours, 2 splits.

A category is "pattern shape" ("striped star"). Colours and backgrounds occur in captions only, so
that a detector can be asked for them through the teacher ("red striped star") although no label
ever names one.
"""

from __future__ import annotations

from collections.abc import Sequence

from ovdistill.errors import UserError

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
SPLITS = ("shape", "compositional")

NOVEL_SHAPES = ("hexagon", "heart", "arrow")
NUM_COMPOSITIONAL = 17


def category_names() -> tuple[str, ...]:
    """Names of the 65 categories, pattern-major; category id = index + 1."""
    return tuple(f"{pattern} {shape}" for pattern in PATTERNS for shape in SHAPES)


def novel_names(split: str) -> tuple[str, ...]:
    """Names that are novel (never labelled in training), in category order.

    Both splits are in the style of COCO's 48 base / 17 novel. ``compositional`` has exactly these
    counts: each held-out pair is new, but its pattern and its shape both occur in base. ``shape``
    is the hard one: three whole shapes (heart, hexagon, arrow) are never in base, which makes
    50 base / 15 novel (17 is no multiple of the 5 patterns).

    Args:
        split: one of ``SPLITS``.

    Raises:
        UserError: for an unknown split.
    """
    if split == "shape":
        return tuple(name for name in category_names() if name.split()[1] in NOVEL_SHAPES)
    if split == "compositional":
        # A diagonal through the 13 x 5 table: steps of 2 patterns a shape never meet a pair twice
        # in 17 steps, and take 3 or 4 of 13 shapes a pattern and 1 or 2 of 5 patterns a shape.
        held_out = {
            f"{PATTERNS[2 * k % len(PATTERNS)]} {SHAPES[k % len(SHAPES)]}"
            for k in range(NUM_COMPOSITIONAL)
        }
        return tuple(name for name in category_names() if name in held_out)
    raise UserError(f"unknown split {split!r}; expected one of: {', '.join(SPLITS)}")


def object_phrase(colour: str, pattern: str | None, shape: str) -> str:
    """Noun phrase with its article: ("orange", "striped", "star") -> "an orange striped star".

    Args:
        colour: a key of ``COLOURS``, or "" for none ("an outlined heart").
        pattern: one of ``PATTERNS``, or None to leave it out (usual for "solid").
        shape: one of ``SHAPES``.
    """
    words = " ".join(word for word in (colour, pattern, shape) if word)
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def caption(objects: Sequence[tuple[str, str | None, str]], background: str) -> str:
    """Caption of a picture: "a red striped star and a green ring on a noisy background".

    Args:
        objects: at least one (colour, pattern or None, shape), in the order to be named.
        background: one of ``BACKGROUNDS``, or "" to leave it out.
    """
    phrases = [object_phrase(*words) for words in objects]
    text = phrases[-1] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"
    return f"{text} on a {background} background" if background else text
