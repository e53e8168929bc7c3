"""Embeds the true boxes of images, and whole images, to measure a teacher; nothing is stored.

Boxes are cut out of the original image. Each image is read once and cropped by every policy.

Shapes: n objects of a chunk of images, m whole images of it, D embedding width.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.core.logs import progress
from ovdistill.evaluation.regions.matching import Objects
from ovdistill.extraction.images import ImageFile, image_loader
from ovdistill.teacher import RegionPolicy, Teacher

LOGGER = logging.getLogger(__name__)
IMAGES_PER_CHUNK = 32  # read and encoded together; their boxes fill batches


class NotFiniteError(UserError):
    """Error for a teacher whose embeddings have NaN or infinite numbers."""


@dataclass(frozen=True, eq=False)
class EncodedChunk:
    """Objects and whole images of some images, embedded.

    Attributes:
        read: ids of the images that could be read.
        image_ids: (n,) int64 image of each object, on the CPU.
        objects: n true boxes and labels, on the CPU.
        embeddings: (n, D) float32, unit norm, on the teacher's device, by the name of the policy.
        whole_ids: ids of the m whole images.
        whole: (m, D) float32, unit norm, on the teacher's device.
    """

    read: tuple[int, ...]
    image_ids: Tensor
    objects: Objects
    embeddings: Mapping[str, Tensor]
    whole_ids: tuple[int, ...]
    whole: Tensor


def encode_objects(
    files: Sequence[ImageFile],
    objects: Mapping[int, Objects],
    teacher: Teacher,
    policies: Mapping[str, RegionPolicy],
    whole: Collection[int] = (),
    *,
    batch_size: int = 128,
    workers: int = 1,
    title: str = "true boxes",
) -> Iterator[EncodedChunk]:
    """Yield embeddings of a chunk of images after another, and show the progress.

    Images that cannot be read are left out, with a warning at the end that counts them.

    Args:
        files: the images.
        objects: labelled objects by image id, in pixels of the original image; boxes are cut off
            at its edges.
        teacher: embeds.
        policies: ways to embed regions, by name.
        whole: ids of images that are embedded as a whole, too.
        batch_size: crops in a forward pass.
        workers: processes that read images; 0 = this process.
        title: what is embedded, for the progress.

    Raises:
        NotFiniteError: embeddings that are not finite.
        UserError: no image could be read.
    """
    starts = range(0, len(files), IMAGES_PER_CHUNK)
    rows = [[*range(start, min(start + IMAGES_PER_CHUNK, len(files)))] for start in starts]
    problems: list[str] = []
    with progress(total=len(files), title=title, unit="image") as bar:
        for loaded in image_loader(files, rows, workers):
            problems += [f"{i.file.path}: {i.problem}" for i in loaded if i.problem]
            good = {
                image.file.image_id: image.pixels for image in loaded if image.pixels is not None
            }
            if good:
                yield _encode(good, objects, teacher, policies, whole, batch_size)
            bar.update(len(loaded))
    if len(problems) == len(files):
        raise UserError(
            f"none of the {len(files)} images could be read (the first, {problems[0]}); check "
            "the folder of the images"
        )
    if problems:
        LOGGER.warning(
            "%d of %d images are left out (the first: %s)", len(problems), len(files), problems[0]
        )


def _encode(
    images: Mapping[int, Tensor],
    objects: Mapping[int, Objects],
    teacher: Teacher,
    policies: Mapping[str, RegionPolicy],
    whole: Collection[int],
    batch_size: int,
) -> EncodedChunk:
    pixels = {key: image.to(teacher.device) for key, image in images.items()}
    visible = {key: _visible(objects[key], image) for key, image in images.items()}
    boxes = [_clipped(visible[key].boxes, image) for key, image in images.items()]
    embeddings = {
        name: teacher.encode_regions([*pixels.values()], boxes, batch_size, policy)
        for name, policy in policies.items()
    }
    whole_ids = tuple(key for key in images if key in whole)
    frames = [_frame(images[key]) for key in whole_ids]
    of_images = teacher.encode_regions(
        [pixels[key] for key in whole_ids], frames, batch_size, teacher.whole_image
    )
    for values in (*embeddings.values(), of_images):
        if not values.isfinite().all():
            raise NotFiniteError(
                f"teacher {teacher.id} gives embeddings with NaN or infinity; expected finite "
                "ones (with --precision fp16, try bf16 or fp32)"
            )
    counts = torch.tensor([len(own.labels) for own in visible.values()])
    return EncodedChunk(
        read=tuple(images),
        image_ids=torch.tensor([*images]).repeat_interleave(counts),
        objects=Objects(
            torch.cat([own.boxes for own in visible.values()]),
            torch.cat([own.labels for own in visible.values()]),
        ),
        embeddings=embeddings,
        whole_ids=whole_ids,
        whole=of_images,
    )


def _visible(objects: Objects, image: Tensor) -> Objects:
    """Return the objects whose boxes have an area inside an image (3, H, W)."""
    boxes = _clipped(objects.boxes, image)
    seen = (boxes[:, 2:] > boxes[:, :2]).all(dim=1)
    return Objects(objects.boxes[seen], objects.labels[seen])


def _clipped(boxes: Tensor, image: Tensor) -> Tensor:
    """Return (n, 4) float32 boxes, xyxy, cut off at the edges of an image (3, H, W)."""
    height, width = image.shape[1:]
    limit = torch.tensor([width, height, width, height], dtype=torch.float32)
    return torch.minimum(boxes.float().clamp(min=0), limit)


def _frame(image: Tensor) -> Tensor:
    """Return (1, 4) the box of a whole image (3, H, W)."""
    height, width = image.shape[1:]
    return torch.tensor([[0.0, 0.0, width, height]])
