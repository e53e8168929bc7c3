"""Colours of classes, and of what is written on them."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

Colour = tuple[int, int, int]  # RGB, 0-255

INK, PAPER, GREY, ALARM = (33, 37, 41), (250, 250, 250), (108, 117, 125), (200, 30, 30)
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
# Strong colours, well apart from one another on most images; further colours are computed.
FIRST: tuple[Colour, ...] = (
    *((230, 57, 70), (29, 120, 216), (42, 157, 62), (255, 159, 28), (146, 64, 190)),
    *((0, 172, 178), (240, 98, 182), (128, 92, 56), (170, 190, 20), (70, 80, 150)),
)
COLOURS = 256  # of more classes, those that are so many apart share a colour
LIGHTNESS = (30, 85)  # CIELAB L* of computed colours: neither black nor white
LEAST_CHROMA = 30  # CIELAB: computed colours are no greys


def class_colour(index: int) -> Colour:
    """Return the colour of the class with this index, the same in every image."""
    index %= COLOURS
    return FIRST[index] if index < len(FIRST) else _palette()[index]


def ink_on(colour: Colour) -> Colour:
    """Return black or white, whichever has more contrast with ``colour``: 4.5 or more."""
    return max(BLACK, WHITE, key=lambda ink: contrast(ink, colour))


def contrast(a: Colour, b: Colour) -> float:
    """Return the contrast ratio of two colours, 1 to 21, as WCAG 2 defines it."""
    dark, light = sorted((_luminance(a), _luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    """Return the relative luminance of an sRGB colour, 0 to 1 (WCAG 2)."""
    linear = [v / 3294.6 if v <= 10 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@lru_cache(maxsize=1)
def _palette() -> tuple[Colour, ...]:
    """Return ``COLOURS`` colours: each is, of a grid of RGB, the farthest from those before it."""
    steps = np.linspace(0, 255, 12).round().astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    lab = _to_lab(grid)
    usable = (lab[:, 0] > LIGHTNESS[0]) & (lab[:, 0] < LIGHTNESS[1])
    usable &= np.hypot(lab[:, 1], lab[:, 2]) > LEAST_CHROMA
    candidates = lab[usable]
    chosen = list(FIRST)
    first = _to_lab(np.array(FIRST, dtype=np.uint8))
    distance = np.square(candidates[:, None] - first).sum(axis=-1).min(axis=1)
    while len(chosen) < COLOURS:
        best = int(distance.argmax())
        red, green, blue = grid[usable][best].tolist()
        chosen.append((red, green, blue))
        distance = np.minimum(distance, np.square(candidates - candidates[best]).sum(axis=1))
    return tuple(chosen)


def _to_lab(colours: np.ndarray) -> np.ndarray:
    """Return CIELAB values (n, 3) float32 of colours (n, 3) uint8 RGB."""
    return cv2.cvtColor(colours[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
