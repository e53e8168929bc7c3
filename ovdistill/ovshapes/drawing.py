"""Draws the parts of OVShapes: silhouettes, patterns inside of them, cluttered backgrounds.

Silhouettes and patterns are rasterised ``SUPERSAMPLE`` times finer and averaged down, which
anti-aliases their edges. Their lengths are fractions of the object's size (the longest side of its
unrotated box), so that a pattern looks the same at every size.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import cv2
import numpy as np

from ovdistill.ovshapes.categories import COLOURS

SUPERSAMPLE = 4
SUBPIXEL_BITS = 4  # fractional bits of polygon corners, cv2.fillPoly's `shift`

STRIPE_PERIOD = 0.24
CHECKER_SIDE = 0.175
DOT_SPACING = 0.27
DOT_RADIUS = 0.088
OUTLINE_WIDTH = 0.095
RING_OUTLINE_WIDTH = 0.075  # a ring is 0.28 wide: two contours and a gap must fit into it
MIN_TONE_CONTRAST = 75  # least luma difference (0-255) of a pattern's two tones

# Degrees in either direction. They are small, since a student must learn the shapes from scratch in
# minutes, and a square must not become a diamond.
MAX_ANGLE = 18.0
MAX_PATTERN_ANGLE = 30.0


@dataclass(frozen=True)
class Stamp:
    """A silhouette at its position in an image, as a patch of pixels.

    Attributes:
        shape: name of the shape.
        x: column of the patch's first pixel in the image.
        y: row of the patch's first pixel in the image.
        fine: (SUPERSAMPLE * h, SUPERSAMPLE * w) uint8, 0 or 1.
        cover: (h, w) float32 in [0, 1], the share of each pixel that is covered.
        centre: (x, y) of the object's centre, in pixels of the patch.
        size: longest side of the unrotated silhouette, in pixels.
        angle: rotation in radians.
    """

    shape: str
    x: int
    y: int
    fine: np.ndarray
    cover: np.ndarray
    centre: tuple[float, float]
    size: float
    angle: float

    def window(self) -> tuple[slice, slice]:
        """Return the rows and columns of the patch in the image."""
        height, width = self.cover.shape
        return slice(self.y, self.y + height), slice(self.x, self.x + width)


def _regular(corners: int, inner: float | None = None) -> np.ndarray:
    """Return a regular polygon, or a star with inner corners at this radius; first corner up."""
    count = corners if inner is None else 2 * corners
    angle = 2 * np.pi * np.arange(count) / count - np.pi / 2
    radius = np.ones(count)
    if inner is not None:
        radius[1::2] = inner
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)


def _heart() -> np.ndarray:
    t = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([16 * np.sin(t) ** 3, -y], 1)


def _crescent() -> np.ndarray:
    """Return a unit disc minus a disc of radius 0.85 whose centre lies 0.55 to the right."""
    radius, offset = 0.85, 0.55
    x = (1 + offset**2 - radius**2) / (2 * offset)  # where the two circles meet
    outer_end = np.arctan2(np.sqrt(1 - x * x), x)
    inner_end = np.arctan2(np.sqrt(1 - x * x), x - offset)
    outer = np.linspace(outer_end, 2 * np.pi - outer_end, 64)
    inner = np.linspace(2 * np.pi - inner_end, inner_end, 64)
    return np.concatenate(
        [
            np.stack([np.cos(outer), np.sin(outer)], 1),
            np.stack([offset + radius * np.cos(inner), radius * np.sin(inner)], 1),
        ]
    )


def _polygons() -> dict[str, list[np.ndarray]]:
    """Return the outer polygon and the holes of each shape; centred, longest side 1, y down."""
    circle, square = _regular(64), np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
    arm = 0.33
    cross = [[-arm, -1], [arm, -1], [arm, -arm], [1, -arm], [1, arm], [arm, arm]]
    cross += [[-x, -y] for x, y in cross]
    arrow = [[-1, -0.27], [0.1, -0.27], [0.1, -0.75], [1, 0], [0.1, 0.75], [0.1, 0.27], [-1, 0.27]]
    raw = {
        "circle": [circle],
        "square": [square],
        "triangle": [_regular(3)],
        "star": [_regular(5, inner=0.42)],
        "pentagon": [_regular(5)],
        "hexagon": [_regular(6)],
        "cross": [np.array(cross)],
        "ring": [circle, 0.44 * circle],
        "heart": [_heart()],
        "crescent": [_crescent()],
        "arrow": [np.array(arrow)],
        "diamond": [_regular(4) * (0.62, 1.0)],
        "ellipse": [circle * (1.0, 0.55)],
    }
    scaled = {}
    for shape, parts in raw.items():
        low, high = parts[0].min(0), parts[0].max(0)
        scaled[shape] = [(part - (low + high) / 2) / (high - low).max() for part in parts]
    return scaled


POLYGONS = _polygons()


def corners(shape: str, size: float, angle: float) -> list[np.ndarray]:
    """Return the outer polygon and the holes of a shape, in pixels relative to its centre.

    Args:
        shape: one of ``SHAPES``.
        size: longest side of the unrotated silhouette, in pixels.
        angle: rotation in radians.

    Returns:
        (n, 2) float64 corners, xy, of each polygon.
    """
    cos, sin = np.cos(angle), np.sin(angle)
    turn = size * np.array([[cos, sin], [-sin, cos]])
    return [part @ turn for part in POLYGONS[shape]]


def stamp(shape: str, size: float, angle: float, centre: tuple[float, float]) -> Stamp:
    """Rasterise a silhouette.

    Args:
        shape: one of ``SHAPES``.
        size: longest side of the unrotated silhouette, in pixels.
        angle: rotation in radians.
        centre: (x, y) in pixels of the image, where pixel 0 covers [0, 1).
    """
    parts = [part + centre for part in corners(shape, size, angle)]
    low, high = np.floor(parts[0].min(0)).astype(int), np.ceil(parts[0].max(0)).astype(int)
    width, height = high - low
    fine = np.zeros((height * SUPERSAMPLE, width * SUPERSAMPLE), np.uint8)
    # cv2 puts integer coordinates at the centres of pixels, hence the 0.5
    points = [
        np.round(((part - low) * SUPERSAMPLE - 0.5) * 2**SUBPIXEL_BITS).astype(np.int32)
        for part in parts
    ]
    cv2.fillPoly(fine, points, 1, shift=SUBPIXEL_BITS)  # even-odd rule: a second polygon is a hole
    return Stamp(
        shape,
        int(low[0]),
        int(low[1]),
        fine,
        average(fine),
        (centre[0] - low[0], centre[1] - low[1]),
        size,
        angle,
    )


def average(fine: np.ndarray) -> np.ndarray:
    """Average blocks of (SUPERSAMPLE * h, SUPERSAMPLE * w) 0 or 1 to (h, w) float32."""
    height, width = fine.shape[0] // SUPERSAMPLE, fine.shape[1] // SUPERSAMPLE
    return cv2.resize(fine.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)


def rim(item: Stamp, width: float) -> np.ndarray:
    """Return what lies within ``width`` pixels of the edge: bool, in the shape of ``item.fine``.

    What is outside of the silhouette is part of it, and has no effect.
    """
    # padded with zeros, since the patch ends where the silhouette does
    depth = cv2.distanceTransform(np.pad(item.fine, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    return depth <= width * SUPERSAMPLE


def pattern_axes(item: Stamp, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw the direction, scale and phase of a pattern.

    Returns:
        Two float32 coordinates at right angles of each pixel of ``item.fine``, which broadcast to
        its shape, in units of the object's size.
    """
    limit = np.radians(MAX_PATTERN_ANGLE)
    angle = item.angle + rng.uniform(-limit, limit)
    step = item.size * rng.uniform(0.92, 1.12)
    height, width = item.fine.shape
    x = (np.arange(width, dtype=np.float32) + 0.5) / SUPERSAMPLE - item.centre[0]
    y = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / SUPERSAMPLE - item.centre[1]
    cos, sin = np.float32(np.cos(angle) / step), np.float32(np.sin(angle) / step)
    shift = rng.uniform(0, 1, 2).astype(np.float32)
    return x * cos + y * sin + shift[0], y * cos - x * sin + shift[1]


def first_tone(pattern: str, item: Stamp, rng: np.random.Generator) -> np.ndarray:
    """Return where a pattern has the object's own colour: bool, in the shape of ``item.fine``."""
    if pattern == "solid":
        return np.ones(item.fine.shape, bool)
    if pattern == "outlined":
        width = RING_OUTLINE_WIDTH if item.shape == "ring" else OUTLINE_WIDTH
        return rim(item, width * item.size)
    u, v = pattern_axes(item, rng)
    if pattern == "striped":
        return np.mod(u / STRIPE_PERIOD, 1) < 0.5
    if pattern == "checkered":
        return (np.floor(u / CHECKER_SIDE) + np.floor(v / CHECKER_SIDE)) % 2 == 0
    # dots on a triangular lattice: every second row is shifted by half a spacing
    row = np.round(v / (DOT_SPACING * 0.866))
    du = np.mod(u / DOT_SPACING + 0.5 * (row % 2) + 0.5, 1) - 0.5
    dv = v / DOT_SPACING - row * 0.866
    return du * du + dv * dv > (DOT_RADIUS / DOT_SPACING) ** 2


def tones(colour: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return a varied colour and a lighter or darker second tone: (3,) float32 RGB, 0-255."""
    first = np.clip(np.array(COLOURS[colour]) + rng.uniform(-12, 12, 3), 0, 255)
    choices = [0.12 * first + 0.88 * 255, 0.28 * first]
    luma = np.array([0.299, 0.587, 0.114])
    strong = [tone for tone in choices if abs(luma @ (tone - first)) >= MIN_TONE_CONTRAST]
    return first.astype(np.float32), strong[rng.integers(len(strong))].astype(np.float32)


def paint(
    canvas: np.ndarray,
    behind: np.ndarray,
    item: Stamp,
    pattern: str,
    colour: str,
    rng: np.random.Generator,
) -> None:
    """Draw an object onto ``canvas``, in place.

    Args:
        canvas: (H, W, 3) float32 RGB in [0, 255].
        behind: (H, W, 3) float32, the background alone, which shows inside an outlined object.
        item: the silhouette, which must lie inside the image.
        pattern: one of ``PATTERNS``.
        colour: a key of ``COLOURS``.
        rng: draws the tones, and phase and direction of the pattern.
    """
    rows, columns = item.window()
    first, second = tones(colour, rng)
    ink = average(item.fine * first_tone(pattern, item, rng))[..., None]
    cover = item.cover[..., None]
    inside = behind[rows, columns] if pattern == "outlined" else second
    patch = canvas[rows, columns]
    canvas[rows, columns] = patch * (1 - cover) + ink * first + (cover - ink) * inside


def _muted(rng: np.random.Generator) -> np.ndarray:
    """Draw a greyish colour, less dark or light than second tones: (3,) float32 RGB, 0-255."""
    hsv = rng.uniform(), rng.uniform(0.03, 0.3), rng.uniform(0.25, 0.8)
    return 255 * np.array(colorsys.hsv_to_rgb(*hsv), np.float32)


def _blend(weight: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mix two muted colours by (H, W) weights in [0, 1]."""
    weight = weight[..., None].astype(np.float32)
    return weight * _muted(rng) + (1 - weight) * _muted(rng)


def _strokes(canvas: np.ndarray, count: int, rng: np.random.Generator) -> None:
    """Draw open, slightly bent lines in place, which resemble none of the shapes."""
    size = canvas.shape[0]
    t = np.linspace(0, 1, 16)[:, None]
    for _ in range(count):
        a, b = rng.uniform(-0.1, 1.1, (2, 2)) * size
        bend = (a + b) / 2 + rng.uniform(-0.2, 0.2, 2) * size
        curve = (1 - t) ** 2 * a + 2 * t * (1 - t) * bend + t**2 * b
        vivid = np.array(list(COLOURS.values())[rng.integers(len(COLOURS))])
        colour = 0.5 * vivid + 0.5 * _muted(rng)
        width = max(1, round(rng.uniform(0.008, 0.022) * size))
        points = [np.round(curve * 16).astype(np.int32)]
        line = dict(color=colour.tolist(), thickness=width, lineType=cv2.LINE_AA, shift=4)
        cv2.polylines(canvas, points, isClosed=False, **line)


def _blobs(canvas: np.ndarray, count: int, rng: np.random.Generator) -> None:
    """Draw irregular blobs in muted colours in place, which resemble none of the shapes."""
    size = canvas.shape[0]
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    for _ in range(count):
        radius = np.ones_like(angle)
        for wave in range(1, 5):
            radius += rng.uniform(0.12, 0.3) * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
        unit = np.stack([np.cos(angle), np.sin(angle)], 1) * radius[:, None]
        blob = unit * rng.uniform(0.04, 0.14) * size + rng.uniform(0, 1, 2) * size
        points = [np.round(blob * 16).astype(np.int32)]
        cv2.fillPoly(canvas, points, _muted(rng).tolist(), cv2.LINE_AA, shift=4)


def draw_background(kind: str, size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a background.

    Args:
        kind: one of ``BACKGROUNDS``.
        size: side of the image in pixels.
        rng: random generator.

    Returns:
        (size, size, 3) float32 RGB in [0, 255].
    """
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size - 0.5
    if kind == "cloudy":
        field = np.zeros((size, size), np.float32)
        for cells, strength in ((3, 1.0), (6, 0.6), (14, 0.35)):
            coarse = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
            field += strength * cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
        canvas = _blend(np.clip(0.5 + 0.6 * field, 0, 1), rng)
    elif kind == "shaded":
        angle = rng.uniform(0, 2 * np.pi)
        slope = np.clip(0.5 + 0.8 * (x * np.cos(angle) + y * np.sin(angle)), 0, 1)
        canvas = _blend(slope, rng)
    else:
        canvas = np.full((size, size, 3), _muted(rng), np.float32)
    canvas = np.round(canvas).clip(0, 255).astype(np.uint8)  # cv2 anti-aliases in 8 bits only
    if kind == "scribbled":
        _strokes(canvas, int(rng.integers(8, 15)), rng)
    elif kind == "blotchy":
        _blobs(canvas, int(rng.integers(7, 13)), rng)
    elif kind != "plain":
        _strokes(canvas, int(rng.integers(0, 3)), rng)
    grain = 26.0 if kind == "noisy" else 2.5
    return np.clip(canvas + rng.normal(0, grain, canvas.shape), 0, 255).astype(np.float32)
