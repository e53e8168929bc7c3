"""A teacher that was adapted to a field: another teacher with a ``TeacherAdapter`` around it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.teacher.adapter import NamedAdapter, adapted_id
from ovdistill.teacher.crops import CropPolicy
from ovdistill.teacher.dense_regions import DenseBatch
from ovdistill.teacher.image_tower import ImageTower
from ovdistill.teacher.teacher import Teacher
from ovdistill.teacher.text_tower import TextTower
from ovdistill.teacher.wrapped_teacher import WrappedTeacher


class AdaptedTeacher(WrappedTeacher):
    """Another teacher with an adapter around it, frozen.

    Its name and hash name the adapter too.

    Args:
        teacher: the teacher.
        named: the adapter; it is moved to the teacher's device and frozen.

    Raises:
        UserError: the adapter is of another teacher, or of another width.
    """

    def __init__(self, teacher: Teacher, named: NamedAdapter) -> None:
        super().__init__(teacher)
        if not named.teacher.is_same(teacher.id):
            raise UserError(
                f"adapter {named.name!r} was learned with teacher {named.teacher}; got teacher "
                f"{teacher.id}. Learn one with this teacher: ovdistill teacher adapt"
            )
        self.named = named
        self.adapter = named.adapter.requires_grad_(requires_grad=False).to(teacher.device)
        self.name = adapted_id(TeacherId(teacher.name), named).name
        self.embed_dim = self.adapter.embed_dim_after(teacher.embed_dim)
        self.temperature = self.adapter.temperature or teacher.temperature
        self.prompts = self.adapter.prompts or teacher.prompts

    @cached_property
    def weights_hash(self) -> str:
        """First 16 hex digits of the SHA-256 over the teacher's hash and the adapter."""
        return adapted_id(self.inner.id, self.named).weights_hash

    def encode_images(self, images: Tensor) -> Tensor:
        """Embed images, see ``Teacher``; these are of unit norm."""
        return super().encode_images(self._pixels(images))

    def embed_crops(self, crops: Tensor, policy: CropPolicy | None = None) -> Tensor:
        """Embed the crops of regions, see ``Teacher``: the scales are fused before the change."""
        return super().embed_crops(self._pixels(crops), policy)

    def encode_dense(self, images: Tensor) -> Tensor:
        """Embed every position of images, see ``Teacher``.

        Raises:
            UserError: the adapter changes the pixels of crops.
        """
        self._check_dense()
        return super().encode_dense(images)

    def embed_dense(self, batch: DenseBatch) -> Tensor:
        """Embed regions from one pass, see ``Teacher``.

        Raises:
            UserError: the adapter changes the pixels of crops.
        """
        self._check_dense()
        return super().embed_dense(batch)

    def text_tower(self) -> TextTower:
        """Return the text tower, see ``Teacher``.

        Raises:
            UserError: the adapter knows class names by their prompts.
        """
        if self.adapter.tied_to_prompts:
            raise UserError(
                f"adapter {self.named.name!r} knows class names by the prompts that it was learned "
                "with, so no others can be learned behind it; learn them without --adapter"
            )
        return super().text_tower()

    def image_tower(self) -> ImageTower:
        """Return the image tower, see ``Teacher``, with the adapter in front of it and behind."""
        tower = super().image_tower()
        if self.adapter.changes_pixels:
            tower.change_pixels_first(self.adapter.adapt_pixels)
        return tower

    def change_images(self, embeddings: Tensor) -> Tensor:
        """Adapt embeddings of images, see ``WrappedTeacher``."""
        return _exactly(self.adapter.adapt_images, embeddings)

    def change_texts(self, embeddings: Tensor) -> Tensor:
        """Adapt embeddings of texts, see ``WrappedTeacher``; gradients reach them."""
        return _exactly(self.adapter.adapt_texts, embeddings)

    def _check_dense(self) -> None:
        if self.adapter.changes_pixels:
            raise UserError(
                f"adapter {self.named.name!r} changes the pixels of crops, so it has no dense "
                "features; expected regions by crops: crops=dict(mode='crops')"
            )

    def _pixels(self, images: Tensor) -> Tensor:
        """Adapt (n, 3, S, S) pixels; without a change they stay as they are, also in dtype."""
        if not self.adapter.changes_pixels:
            return images
        images = images.to(self.device)
        if images.dtype == torch.uint8:
            images = images.float() / 255
        with torch.no_grad():
            return self.adapter.adapt_pixels(images)


def _exactly(change: Callable[[Tensor], Tensor], embeddings: Tensor) -> Tensor:
    """Return changed embeddings, computed in float64.

    A product in float32 is rounded in another way for every number of rows; a store has to have
    the same bytes however its regions were batched.
    """
    exact = embeddings if embeddings.device.type == "mps" else embeddings.double()
    return normalize(change(exact), dim=-1).to(embeddings)
