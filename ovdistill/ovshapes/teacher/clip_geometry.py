"""Gives the small teacher the geometry of CLIP: a gap between images and texts.

The small teacher's images and texts lie together; CLIP's do not. Its gap is about a constant vector
for each modality that is orthogonal to what the embeddings tell (arXiv 2603.29080), carried by few
dimensions (arXiv 2404.07983), and most of what tells texts apart tells nothing of images. So the
map adds a constant to each modality, in dimensions of its own, and moves most of the texts' content
to dimensions that images do not use. What is left in common keeps its order: zero-shot
classification by the nearest name gives the same answers as before.

Shapes: n images' objects, W class names, r shared dimensions, D embedding width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ovdistill.core.embedding_map import EmbeddingMap
from ovdistill.core.logs import progress
from ovdistill.ovshapes.categories import category_names
from ovdistill.ovshapes.teacher.data import NUM_CATEGORIES, NUM_KINDS, SHAPE, draw_pool, phrase
from ovdistill.teacher import Teacher
from ovdistill.vocabulary import TEMPLATES, Vocabulary

NAME, WEAK_NAME = "clip-gap", "clip-gap-weak"
SHARED = 40  # r: the content of the small teacher's embeddings has fewer dimensions than that
# The weak teacher's images keep this much of the first five directions, and nothing of the others:
# it then finds four of ten names.
WEAK = (1.0, 1.0, 1.0, 1.0, 0.35)
CONSTANT = 4  # dimensions of the gap
POOL_SEED = 1  # other images than those that the teacher was trained on


@dataclass(frozen=True)
class Statistics:
    """Mean cosines between different things: docs/geometry.md has the source of CLIP's.

    Attributes:
        own: object and its own class name.
        other: object and another class name.
        images: two objects of different classes.
        texts: two class names.
    """

    own: float
    other: float
    images: float
    texts: float


CLIP = Statistics(own=0.28, other=0.18, images=0.55, texts=0.72)


def build_clip_geometry(
    teacher: Teacher, images: int = 500, seed: int = 0, *, weak: bool = False
) -> EmbeddingMap:
    """Build the map that gives a teacher's objects and class names the statistics of CLIP.

    Args:
        teacher: the small teacher.
        images: drawn images on whose objects the teacher's own statistics are measured.
        seed: of the random directions.
        weak: take most of the images' content away (``WEAK``), for a teacher that is often wrong.
    """
    objects, categories = _encode_pool(teacher, images)
    names = Vocabulary.encode(category_names(), teacher, TEMPLATES["single"]).embeddings
    phrases = [phrase(kind) for kind in range(NUM_KINDS)] + [
        phrase(kind, SHAPE) for kind in range(NUM_CATEGORIES)
    ]
    content = _directions(torch.cat([objects, names, teacher.encode_text(phrases)]))
    measured = measure(objects, categories, names)
    tensors = _tensors(content, measured, seed)
    if weak:
        kept = torch.zeros(SHARED)
        kept[: len(WEAK)] = torch.tensor(WEAK)
        lost = content.T @ torch.diag(kept) @ content
        tensors["image_weight"] = tensors["image_weight"] @ lost
    temperature = teacher.temperature * (CLIP.own - CLIP.other) / (measured.own - measured.other)
    return EmbeddingMap(WEAK_NAME if weak else NAME, teacher.id, temperature, tensors)


def measure(objects: Tensor, categories: Tensor, names: Tensor) -> Statistics:
    """Return the mean cosines of (n, D) objects of (n,) categories and (W, D) class names."""
    match = torch.nn.functional.one_hot(categories, len(names)).bool()
    cross = objects @ names.T
    among = objects @ objects.T
    different = categories[:, None] != categories
    pairs = ~torch.eye(len(names), dtype=torch.bool)
    means = cross[match], cross[~match], among[different], (names @ names.T)[pairs]
    return Statistics(*(float(values.mean()) for values in means))


def _tensors(content: Tensor, measured: Statistics, seed: int) -> dict[str, Tensor]:
    """Return the parts of the map.

    With unit content u of an image and w of a text, and with constants g of unit norm, the map is

        image: a A u + sqrt(1 - a^2) g_image
        text:  b (s A w + sqrt(1 - s^2) B w) + sqrt(1 - b^2) g_text

    where A and B are isometries to dimensions that are orthogonal to each other and to the g.
    Mean cosines follow: images a^2 m + 1 - a^2, texts likewise with b, object and name
    a b s c + sqrt((1 - a^2)(1 - b^2)) g_image . g_text for a cosine c before. The four targets
    determine a, b, s and the angle of the constants.

    Args:
        content: (r, D) orthonormal directions that hold the content.
        measured: mean cosines before the map.
        seed: of the isometries.
    """
    a2 = (1 - CLIP.images) / (1 - measured.images)
    b2 = (1 - CLIP.texts) / (1 - measured.texts)
    shared = (CLIP.own - CLIP.other) / math.sqrt(a2 * b2) / (measured.own - measured.other)
    rest = CLIP.own - math.sqrt(a2 * b2) * shared * measured.own
    angle = math.acos(rest / math.sqrt((1 - a2) * (1 - b2)))
    rank, width = content.shape
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(width, generator=generator)
    gap, other = order[:CONSTANT], order[CONSTANT:]
    frame = torch.zeros(width, 2 * rank)
    random = torch.randn(width - CONSTANT, 2 * rank, generator=generator)
    frame[other] = torch.linalg.qr(random).Q
    constants = torch.zeros(width, 2)
    constants[gap] = torch.linalg.qr(torch.randn(CONSTANT, 2, generator=generator)).Q
    image, across = constants.T
    text = math.cos(angle) * image + math.sin(angle) * across
    moved = shared * frame[:, :rank] + math.sqrt(1 - shared**2) * frame[:, rank:]
    return {
        "image_weight": math.sqrt(a2) * frame[:, :rank] @ content,
        "image_bias": math.sqrt(1 - a2) * image,
        "text_weight": math.sqrt(b2) * moved @ content,
        "text_bias": math.sqrt(1 - b2) * text,
    }


def _directions(embeddings: Tensor) -> Tensor:
    """Return the (r, D) orthonormal directions that hold most of (n, D) embeddings."""
    return torch.linalg.svd(embeddings, full_matrices=False).Vh[:SHARED]


def _encode_pool(teacher: Teacher, count: int) -> tuple[Tensor, Tensor]:
    """Return (n, D) embeddings of the objects of drawn images, and their (n,) categories."""
    pool = draw_pool(POOL_SEED, count)
    parts = []
    for index in progress(range(count), total=count, title="encoding", unit="image"):
        own = pool.boxes[pool.image_index == index]
        parts.append(teacher.encode_regions(pool.images[index], own))
    return torch.cat(parts), torch.from_numpy(pool.kinds % NUM_CATEGORIES)
