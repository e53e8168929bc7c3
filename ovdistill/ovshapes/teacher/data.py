"""Training data of the small teacher: drawn images, crops of their objects, and captions.

Shapes: N images, n objects or crops, S side of a crop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import roi_align

from ovdistill.core.errors import UserError
from ovdistill.core.logs import progress
from ovdistill.ovshapes.categories import COLOURS, PATTERNS, SHAPES
from ovdistill.ovshapes.scenes import Scene, scene
from ovdistill.ovshapes.worker_map import map_in_order
from ovdistill.teacher.crops import CropPolicy
from ovdistill.teacher.jitter import jitter_boxes
from ovdistill.vocabulary.prompts import TEMPLATES

# The second number of each generator's seed. OVShapes uses 0, 1 and 2 (train, val, test), so the
# teacher sees none of its images, whatever the seeds.
IMAGE_STREAM = 101
COLOUR_NAMES = tuple(COLOURS)
SIZES = (len(COLOUR_NAMES), len(PATTERNS), len(SHAPES))
NUM_KINDS = SIZES[0] * SIZES[1] * SIZES[2]  # 520: a kind is a (colour, pattern, shape)
NUM_CATEGORIES = SIZES[1] * SIZES[2]
FULL, CATEGORY = ("colour", "pattern", "shape"), ("pattern", "shape")
COLOUR_SHAPE, SHAPE = ("colour", "shape"), ("shape",)  # levels: what a caption says of an object

# Groups of templates, and their probabilities: the default one, short forms, ViLD's 63.
TEMPLATE_GROUPS = (TEMPLATES["single"], ("{article} {}", "{}"), TEMPLATES["vild63"])
TEMPLATE_SHARES = (0.5, 0.25, 0.25)


@dataclass(frozen=True, eq=False)
class Pool:
    """Drawn images and their objects.

    Attributes:
        images: (N, 3, H, W) uint8 RGB.
        captions: the captions of the whole images.
        boxes: (n, 4) float32 xyxy, absolute pixels of the image.
        image_index: (n,) int64 index into ``images``.
        kinds: (n,) int64 kind, colour-major: ((colour * 5) + pattern) * 13 + shape.
    """

    images: Tensor
    captions: tuple[str, ...]
    boxes: Tensor
    image_index: Tensor
    kinds: np.ndarray


def draw_pool(seed: int, count: int, workers: int = 2) -> Pool:
    """Draw images in which all categories and colours are equally likely.

    Args:
        seed: random seed of the images.
        count: number of images.
        workers: number of processes.
    """
    job = partial(_draw, seed)
    bar = partial(progress, total=count, title="drawing teacher images", unit="image")
    return make_pool(list(bar(map_in_order(job, count, max(1, workers)))))


def _draw(seed: int, index: int) -> tuple[np.ndarray, str, list[tuple[np.ndarray, int]]]:
    drawn: Scene = scene(np.random.default_rng((seed, IMAGE_STREAM, index)))
    objects = [(o.box, kind_of(o.colour, o.pattern, o.shape)) for o in drawn.objects]
    return drawn.image, drawn.caption, objects


def make_pool(scenes: Sequence[tuple[np.ndarray, str, list[tuple[np.ndarray, int]]]]) -> Pool:
    """Join images, their captions and their objects.

    Args:
        scenes: for each image, (H, W, 3) uint8 RGB pixels, the caption, and box (4,) and kind of
            each object.
    """
    images = torch.from_numpy(np.stack([s[0] for s in scenes])).permute(0, 3, 1, 2).contiguous()
    objects = [(box, kind, i) for i, s in enumerate(scenes) for box, kind in s[2]]
    return Pool(
        images,
        tuple(s[1] for s in scenes),
        torch.from_numpy(np.stack([o[0] for o in objects])).float(),
        torch.tensor([o[2] for o in objects]),
        np.array([o[1] for o in objects]),
    )


def kind_of(colour: str, pattern: str, shape: str) -> int:
    """Return the number of a kind: of a colour, a pattern and a shape."""
    numbers = COLOUR_NAMES.index(colour), PATTERNS.index(pattern), SHAPES.index(shape)
    return int(np.ravel_multi_index(numbers, SIZES))


def phrase(kind: int, level: Sequence[str] = FULL) -> str:
    """Return the phrase for a kind: "red striped star", "striped star", "red star" or "star".

    Args:
        kind: see ``kind_of``.
        level: the parts that are said, of 'colour', 'pattern' and 'shape'.
    """
    colour, pattern, shape = np.unravel_index(kind, SIZES)
    words = {"colour": COLOUR_NAMES[colour], "pattern": PATTERNS[pattern], "shape": SHAPES[shape]}
    return " ".join(words[part] for part in level)


def draw_template(rng: np.random.Generator) -> str:
    """Draw a prompt template at random."""
    group = TEMPLATE_GROUPS[rng.choice(len(TEMPLATE_GROUPS), p=TEMPLATE_SHARES)]
    return group[rng.integers(len(group))]


@dataclass(frozen=True, eq=False)
class Draw:
    """What is random in n crops, before any pixel is touched.

    Attributes:
        images: (n,) int64 index of the image of each crop.
        boxes: (n, 4) float32 xyxy, absolute pixels of the image; may reach outside of it.
        mirrored: (2, n, 1, 1, 1) bool, upside down and left to right.
        gain: (n, 1, 1, 1) factor on pixels in [0, 1].
        offset: (n, 1, 1, 1) added to them.
    """

    images: Tensor
    boxes: Tensor
    mirrored: Tensor
    gain: Tensor
    offset: Tensor


class CropSampler:
    """Draws batches of crops in which all categories occur equally often and no kind twice.

    Args:
        pool: the images.
        per_category: crops of each of the 65 categories, in different colours, 1 to 8.
        size: S, side of the crops in pixels.
        policy: each crop is enlarged by one of its scales, at random.
        seed: random seed.

    Raises:
        UserError: a kind is missing in the pool.
    """

    def __init__(
        self, pool: Pool, per_category: int, size: int, policy: CropPolicy, seed: int
    ) -> None:
        self.pool, self.per_category, self.size, self.policy = pool, per_category, size, policy
        self.rng = np.random.default_rng((seed, IMAGE_STREAM))
        self.generator = torch.Generator().manual_seed(seed)
        self.members = [np.flatnonzero(pool.kinds == kind) for kind in range(NUM_KINDS)]
        if missing := sum(len(members) == 0 for members in self.members):
            raise UserError(
                f"{missing} of {NUM_KINDS} kinds of object are missing in {len(pool.images)} "
                "teacher images; expected all: give more (4000 are safe)"
            )

    def draw_crops(self) -> tuple[Draw, np.ndarray]:
        """Draw a batch of 65 * per_category crops.

        Returns:
            The draw, and the kinds of the objects, int64.
        """
        colours = self.rng.permuted(np.tile(np.arange(SIZES[0]), (NUM_CATEGORIES, 1)), axis=1)[
            :, : self.per_category
        ]
        kinds = (colours * NUM_CATEGORIES + np.arange(NUM_CATEGORIES)[:, None]).ravel()
        chosen = torch.from_numpy(np.array([self.rng.choice(self.members[k]) for k in kinds]))
        boxes = jitter_boxes(self.pool.boxes[chosen], self.generator)
        scales = torch.tensor(self.policy.scales)
        scale = scales[torch.from_numpy(self.rng.integers(len(scales), size=len(kinds)))]
        return self._draw(self.pool.image_index[chosen], _square(boxes, scale)), kinds

    def draw_images(self, count: int) -> Draw:
        """Draw whole images."""
        chosen = self.rng.choice(len(self.pool.images), size=count, replace=False)
        height, width = self.pool.images.shape[-2:]
        boxes = torch.tensor([[0.0, 0.0, width, height]]).expand(count, 4)
        return self._draw(torch.from_numpy(chosen), boxes)

    def render(self, draw: Draw) -> Tensor:
        """Return the crops (n, 3, S, S) float32 RGB in [0, 1] of a draw, black outside of images.

        They may be mirrored, and contrast and brightness vary, which no caption mentions.
        """
        images, boxes = self.pool.images[draw.images], draw.boxes
        rois = torch.cat([torch.arange(len(boxes))[:, None].to(boxes), boxes], dim=1)
        crops = roi_align(images.float(), rois, output_size=self.size, aligned=True)
        for axis, mirrored in zip((2, 3), draw.mirrored, strict=True):
            crops = torch.where(mirrored, crops.flip(axis), crops)
        return (crops / 255 * draw.gain + draw.offset).clamp(0, 1)

    def _draw(self, images: Tensor, boxes: Tensor) -> Draw:
        """Return a draw of these boxes, with random looks."""
        shape = (len(boxes), 1, 1, 1)
        mirrored = torch.stack(
            [torch.rand(shape, generator=self.generator) < 0.5 for axis in ("y", "x")]
        )
        gain = 1 + 0.1 * (torch.rand(shape, generator=self.generator) * 2 - 1)
        offset = 0.04 * (torch.rand(shape, generator=self.generator) * 2 - 1)
        return Draw(images, boxes, mirrored, gain, offset)


def _square(boxes: Tensor, scale: Tensor) -> Tensor:
    """Return (n, 4) squares with the longer sides of the boxes, multiplied by (n,) scales."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    side = (boxes[:, 2:] - boxes[:, :2]).amax(dim=1, keepdim=True) * scale[:, None]
    return torch.cat([centre - side / 2, centre + side / 2], dim=1)
