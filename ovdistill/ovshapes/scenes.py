"""Draws one image of OVShapes: its objects, their positions and the background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ovdistill.ovshapes import drawing as draw
from ovdistill.ovshapes.categories import BACKGROUNDS, COLOURS, category_names, scene_caption
from ovdistill.ovshapes.domains import DOMAINS, PAINTED, Domain

OBJECTS_PER_IMAGE = (3, 5)
OBJECT_SIZE = (28 / 128, 52 / 128)  # longest side, as a share of the image's side
MIN_VISIBLE = 0.7  # least visible share of an object's area
PLACING_TRIES = 400


@dataclass(frozen=True, eq=False)
class Object:
    """One object of an image.

    Attributes:
        pattern: one of ``PATTERNS``.
        shape: one of ``SHAPES``.
        colour: a key of ``COLOURS``.
        box: (4,) float32, xyxy, absolute pixels of the image, around the visible part.
        mask: (H, W) bool, the visible part of the silhouette.
    """

    pattern: str
    shape: str
    colour: str
    box: np.ndarray
    mask: np.ndarray

    @property
    def name(self) -> str:
        """Name of the category."""
        return f"{self.pattern} {self.shape}"


@dataclass(frozen=True, eq=False)
class Scene:
    """An image and what it shows.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        objects: the objects, from front to back.
        background: one of ``BACKGROUNDS``.
        caption: a sentence that names the objects and the background.
    """

    image: np.ndarray
    objects: tuple[Object, ...]
    background: str
    caption: str


def draw_categories(
    rng: np.random.Generator, weights: np.ndarray | None = None, require: int | None = None
) -> np.ndarray:
    """Draw the categories of an image.

    Args:
        rng: random generator.
        weights: (65,) probabilities of the categories, summing to 1; None = uniform.
        require: index of a category that must be among them, or None.

    Returns:
        (3 to 5,) int64 indices into ``category_names()``.
    """
    low, high = OBJECTS_PER_IMAGE
    count = rng.integers(low, high + 1)
    categories = rng.choice(len(category_names()), size=count, p=weights)
    if require is not None:
        categories[rng.integers(count)] = require
    return categories


def scene(
    rng: np.random.Generator,
    weights: np.ndarray | None = None,
    size: int = 128,
    require: int | None = None,
    domain: str = PAINTED,
) -> Scene:
    """Draw an image; the same state of ``rng`` gives the same image.

    The objects, their places and the caption are the same in every domain.

    Args:
        rng: random generator.
        weights: (65,) probabilities of the categories, summing to 1; None = uniform.
        size: side of the image in pixels.
        require: index of a category that must occur, or None.
        domain: a key of ``DOMAINS``.

    Raises:
        RuntimeError: no room was found for an object.
    """
    categories = draw_categories(rng, weights, require)
    names = [tuple(category_names()[index].split()) for index in categories]
    colours = [list(COLOURS)[index] for index in rng.integers(len(COLOURS), size=len(names))]
    background = BACKGROUNDS[rng.integers(len(BACKGROUNDS))]
    behind = draw.draw_background(background, size, rng)

    # from front to back: a new object goes below those before it, so it cannot hide them
    taken = np.zeros((size, size), bool)
    placed: list[draw.Stamp] = []
    objects: list[Object] = []
    for (pattern, shape), colour in zip(names, colours, strict=True):
        item, mask = _place(shape, taken, rng)
        taken |= mask
        placed.append(item)
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)
        objects.append(Object(pattern, shape, colour, box, mask))

    canvas = _draw(DOMAINS[PAINTED], behind, placed, objects, rng)
    # people do not say "solid": half of the time the caption leaves it out
    phrases = [
        (o.colour, None if o.pattern == "solid" and rng.uniform() < 0.5 else o.pattern, o.shape)
        for o in objects
    ]
    if domain != PAINTED:  # with random numbers of its own, so that all else stays as it is
        (own,) = rng.spawn(1)
        behind = DOMAINS[domain].background(background, size, own)
        canvas = _draw(DOMAINS[domain], behind, placed, objects, own)
    image = np.round(canvas).clip(0, 255).astype(np.uint8)
    return Scene(image, tuple(objects), background, scene_caption(phrases, background))


def _draw(
    domain: Domain,
    behind: np.ndarray,
    placed: Sequence[draw.Stamp],
    objects: Sequence[Object],
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw the objects onto a copy of the background, the last one first."""
    canvas = behind.copy()
    for item, thing in zip(reversed(placed), reversed(objects), strict=True):
        domain.paint(canvas, behind, item, thing.pattern, thing.colour, rng)
    return canvas


def _place(
    shape: str, taken: np.ndarray, rng: np.random.Generator
) -> tuple[draw.Stamp, np.ndarray]:
    """Place a shape behind the ``taken`` pixels; return its silhouette and its visible mask."""
    size = taken.shape[0]
    smallest, largest = (share * size for share in OBJECT_SIZE)
    # most objects shall be hidden much less than ``MIN_VISIBLE`` allows
    wanted = rng.uniform(MIN_VISIBLE, 1.0)
    for attempt in range(PLACING_TRIES):
        patience = 1 - attempt / PLACING_TRIES  # ask for less room with each attempt
        bound = MIN_VISIBLE + (wanted - MIN_VISIBLE) * patience
        side = smallest * (1 + patience * (largest / smallest - 1)) ** rng.uniform()
        limit = np.radians(draw.MAX_ANGLE)
        angle = rng.uniform(-limit, limit)
        outer = draw.corners(shape, side, angle)[0]
        low, high = 1 - outer.min(0), size - 1 - outer.max(0)
        centre = rng.uniform(low, high)
        item = draw.stamp(shape, side, angle, (float(centre[0]), float(centre[1])))
        whole = np.zeros_like(taken)
        whole[item.window()] = item.cover >= 0.5
        visible = whole & ~taken
        if visible.sum() >= bound * whole.sum():
            return item, visible
    raise RuntimeError(f"no room for a {shape} after {PLACING_TRIES} tries")
