"""Base class of teachers; a teacher of your own is a subclass.

Shapes: n texts, images or crops, P regions, D embedding width, S side of the teacher's input, h x w
positions of dense features.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.teacher.adapted_prompts import AdaptedPrompts
from ovdistill.teacher.crops import CropPolicy
from ovdistill.teacher.dense_regions import DenseBatch, DenseRegions, pool_boxes
from ovdistill.teacher.image_tower import ImageTower
from ovdistill.teacher.region_policy import RegionPolicy, region_policy
from ovdistill.teacher.text_tower import TextTower


class Teacher(nn.Module, ABC):
    """Frozen model that embeds texts and images in one space: evaluation mode, no gradients.

    A subclass sets the attributes and implements the two abstract methods; the other methods build
    on them (docs/own_teacher.md).

    Args:
        crops: how ``encode_regions`` embeds regions: a CropPolicy, a DenseRegions, or the arguments
            of one, see ``region_policy``. Default: crops at 1x and 1.5x.

    Attributes:
        name: name of the teacher in files that are made with it, e.g. "ViT-B-32-quickgelu:openai".
        embed_dim: D.
        image_size: S, pixels.
        interpolation: how crops are resized, 'bicubic' or 'bilinear', always antialiased.
        temperature: divisor that turns cosines into logits, 0.01 for OpenAI's CLIP.
        random: True for untrained weights; files that are made with them say so.
        whole_image: how a whole image becomes an input, as the model's own preprocessing does it.
        prompts: those that class names take with this teacher; None for those of the user.
    """

    name: str
    embed_dim: int
    image_size: int
    interpolation: str = "bicubic"
    temperature: float = 0.01
    random: bool = False
    whole_image: CropPolicy = CropPolicy(scales=(1.0,), shape="clip")
    prompts: AdaptedPrompts | None = None

    def __init__(self, crops: RegionPolicy | Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.crops = region_policy(crops)

    @classmethod
    def name_of(cls, **options: Any) -> str | None:
        """Return the ``name`` of a teacher with these arguments, without loading weights.

        None means that it is not known without them; so here, and a subclass need not override it.
        """
        return None

    @classmethod
    def find_weights(cls, **options: Any) -> Path | None:
        """Return the weights of a teacher with these arguments, downloaded if need be and allowed.

        A training asks for them before anything begins. None means that there are none to look
        for; so here, and a subclass need not override it.

        Raises:
            UserError: they are missing and cannot be downloaded.
        """
        return None

    @abstractmethod
    def encode_text(self, texts: Sequence[str], batch_size: int = 256) -> Tensor:
        """Embed texts.

        Args:
            texts: n texts, none of them empty.
            batch_size: texts in a forward pass.

        Returns:
            (n, D) float32, unit norm, on the teacher's device.

        Raises:
            UserError: for an empty text.
        """

    @abstractmethod
    def encode_images(self, images: Tensor) -> Tensor:
        """Embed images of the teacher's input size.

        Args:
            images: (n, 3, S, S) RGB, uint8, or float in [0, 1].

        Returns:
            (n, D) float32, raw (not unit norm), on the teacher's device.
        """

    @property
    def dense_stride(self) -> int:
        """Side in pixels of the square of the input that a position of dense features stands for.

        Raises:
            UserError: the teacher has no dense features.
        """
        raise self._no_dense_features()

    def encode_dense(self, images: Tensor) -> Tensor:
        """Embed every position of images, in the space of the texts.

        Args:
            images: (n, 3, H, W) RGB, uint8, or float in [0, 1]; H and W are multiples of
                ``dense_stride``.

        Returns:
            (n, D, h, w) float32, unit norm along D, on the teacher's device; h = H / stride.

        Raises:
            UserError: the teacher has no dense features, or the size does not fit.
        """
        raise self._no_dense_features()

    def embed_crops(self, crops: Tensor, policy: CropPolicy | None = None) -> Tensor:
        """Embed the crops of regions and fuse those of each region.

        Args:
            crops: (P * scales, 3, S, S) uint8 RGB, from ``policy``.
            policy: how they were cropped; None for ``self.crops``.

        Returns:
            (P, D) float32, unit norm, on the teacher's device.
        """
        used = policy or self.crops
        assert isinstance(used, CropPolicy)
        return used.fuse_scales(self.encode_images(crops))

    def embed_dense(self, batch: DenseBatch) -> Tensor:
        """Embed the regions of images from one pass over them.

        Returns:
            (P, D) float32, unit norm, on the teacher's device; P regions of all images, in order.

        Raises:
            UserError: see ``encode_dense``, or the batch names a stage that the teacher has not.
        """
        if batch.stage is not None:
            raise UserError(
                f"teacher {self.name!r} ({type(self).__name__}) has no stages; expected an "
                "OpenCLIPTeacher, or dense regions without a stage"
            )
        return pool_boxes(self.encode_dense(batch.images), batch.boxes, self.dense_stride)

    def region_batches(
        self,
        regions: Iterable[tuple[Tensor, Tensor]],
        batch_size: int,
        policy: RegionPolicy | None = None,
    ) -> Iterator[Tensor | DenseBatch]:
        """Yield what ``embed_batch`` embeds, so that a thread can make it ahead of the encoder.

        Args:
            regions: pairs of an image (3, H, W) uint8 RGB on the teacher's device and its boxes
                (P, 4) float, xyxy, absolute pixels of the image; P may be 0.
            batch_size: crops in a batch; batches of whole images have as many pixels, or one image.
            policy: None for ``self.crops``.

        Raises:
            UserError: the policy is dense and the teacher has no dense features.
        """
        policy = policy or self.crops
        if isinstance(policy, DenseRegions):
            pixels = batch_size * self.image_size**2
            return policy.batches(regions, self.dense_stride, self.interpolation, pixels)
        scales = len(policy.scales)
        step = max(1, batch_size // scales) * scales
        return policy.crop(regions, self.image_size, self.interpolation, step)

    def embed_batch(self, batch: Tensor | DenseBatch, policy: RegionPolicy | None = None) -> Tensor:
        """Embed a batch of ``region_batches``, made with the same policy.

        Returns:
            (P, D) float32, unit norm, on the teacher's device.
        """
        if isinstance(batch, DenseBatch):
            return self.embed_dense(batch)
        assert not isinstance(policy, DenseRegions)
        return self.embed_crops(batch, policy)

    def text_tower(self) -> TextTower:
        """Return the text tower from its token embeddings on, through which prompts are learned.

        Raises:
            UserError: the teacher has no such text tower.
        """
        raise UserError(
            f"teacher {self.name!r} ({type(self).__name__}) has no text tower to learn prompts "
            "through; expected an OpenCLIPTeacher, or written templates: ovdistill vocab"
        )

    def image_tower(self) -> ImageTower:
        """Return the image tower with gradients, through which pixels are learned.

        Raises:
            UserError: the teacher has no such image tower.
        """
        raise UserError(
            f"teacher {self.name!r} ({type(self).__name__}) has no image tower that passes "
            "gradients; expected an OpenCLIPTeacher, or a method that learns from embeddings: "
            "ovdistill teacher adapt clip-adapter"
        )

    def train(self, mode: bool = True) -> Teacher:  # noqa: FBT001, FBT002 - torch's signature
        """Stay in evaluation mode, also when the detector around it is set to training."""
        return super().train(mode=False)

    @property
    def device(self) -> torch.device:
        """Device on which the teacher runs."""
        for value in (*self.parameters(), *self.buffers()):
            return value.device
        return torch.device("cpu")

    @cached_property
    def weights_hash(self) -> str:
        """First 16 hex digits of the SHA-256 over the names, shapes and values of the weights."""
        return hash_weights(self.state_dict())

    @property
    def id(self) -> TeacherId:
        """Name and hash of the weights, as files that are made with the teacher state them."""
        return TeacherId(self.name, self.weights_hash)

    def _no_dense_features(self) -> UserError:
        return UserError(
            f"teacher {self.name!r} ({type(self).__name__}) has no dense features (encode_dense); "
            "expected an OpenCLIPTeacher, or regions by crops: crops=dict(mode='crops')"
        )

    def encode_regions(
        self,
        images: Tensor | Sequence[Tensor],
        boxes: Tensor | Sequence[Tensor],
        batch_size: int = 128,
        policy: RegionPolicy | None = None,
    ) -> Tensor:
        """Embed regions of images by a policy: cropped and fused, or from one pass over the image.

        Args:
            images: an image (3, H, W) RGB, uint8 or float in [0, 1]; or several.
            boxes: (P, 4) xyxy, absolute pixels of the image, P may be 0; or one such tensor for
                each of several images.
            batch_size: see ``region_batches``; a batch mixes images.
            policy: how regions are embedded; None for ``self.crops``.

        Returns:
            (P, D) float32, unit norm, on the teacher's device; P regions of all images, in order.

        Raises:
            UserError: a wrong shape, a box without area or with NaN, or a dense policy of a teacher
                without dense features.
        """
        images = [images] if isinstance(images, Tensor) else list(images)
        boxes = [boxes] if isinstance(boxes, Tensor) else list(boxes)
        if len(images) != len(boxes):
            raise UserError(
                f"{len(images)} images, {len(boxes)} sets of boxes; expected as many of each"
            )
        for image, own in zip(images, boxes, strict=True):
            _check_regions(image, own)
        images = [_to_uint8(image).to(self.device) for image in images]
        batches = self.region_batches(zip(images, boxes, strict=True), batch_size, policy)
        parts = [self.embed_batch(batch, policy) for batch in batches]
        return torch.cat(parts) if parts else torch.zeros(0, self.embed_dim, device=self.device)


def hash_weights(state: Mapping[str, Tensor], use: str = "") -> str:
    """Return the first 16 hex digits of the SHA-256 over names, shapes and values of weights.

    Args:
        state: the weights.
        use: how they are used, where that does not follow from them.
    """
    digest = hashlib.sha256(use.encode())
    for name, value in sorted(state.items()):
        digest.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
        digest.update(value.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _check_regions(image: Tensor, boxes: Tensor) -> None:
    if image.ndim != 3 or image.shape[0] != 3 or boxes.ndim != 2 or boxes.shape[1] != 4:
        raise UserError(
            f"image {tuple(image.shape)} and boxes {tuple(boxes.shape)}; expected (3, H, W) "
            "RGB and (P, 4) xyxy in pixels"
        )
    if not (boxes[:, 2:] > boxes[:, :2]).all():
        raise UserError("a box without area or with NaN; expected x1 < x2 and y1 < y2")


def _to_uint8(image: Tensor) -> Tensor:
    return image if image.dtype == torch.uint8 else (image * 255).round().clamp(0, 255).byte()
