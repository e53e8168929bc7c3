"""A teacher whose embeddings pass a fixed map, see ``EmbeddingMap``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from torch import Tensor
from torch.nn.functional import normalize

from ovdistill.core.embedding_map import EmbeddingMap, embed_dim_after, mapped_id
from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.teacher.crops import CropPolicy
from ovdistill.teacher.dense_regions import DenseBatch
from ovdistill.teacher.teacher import Teacher
from ovdistill.teacher.text_tower import TextTower


class MappedTeacher(Teacher):
    """Another teacher with a map behind it, for images and for texts.

    It is a teacher of its own: its name and hash name the map too, so that what is made with and
    without the map cannot be mixed.

    Args:
        teacher: the teacher.
        embedding_map: the map of its embeddings.

    Raises:
        UserError: the map is of another teacher, or of another width.
    """

    def __init__(self, teacher: Teacher, embedding_map: EmbeddingMap) -> None:
        super().__init__(teacher.crops)
        if not embedding_map.teacher.is_same(teacher.id):
            raise UserError(
                f"embedding map {embedding_map.name!r} is of teacher {embedding_map.teacher}; got "
                f"teacher {teacher.id}"
            )
        self.inner = teacher
        self.embedding_map = embedding_map
        self.name = mapped_id(TeacherId(teacher.name), embedding_map).name
        self.embed_dim = embed_dim_after(embedding_map, teacher.embed_dim)
        self.image_size = teacher.image_size
        self.interpolation = teacher.interpolation
        self.temperature = embedding_map.temperature
        self.random = teacher.random
        self.whole_image = teacher.whole_image
        self.precision = getattr(teacher, "precision", "fp32")

    @cached_property
    def weights_hash(self) -> str:
        """First 16 hex digits of the SHA-256 over the teacher's hash and the map."""
        return mapped_id(self.inner.id, self.embedding_map).weights_hash

    def encode_text(self, texts: Sequence[str], batch_size: int = 256) -> Tensor:
        """Embed texts, see ``Teacher``."""
        return self.embedding_map.texts(self.inner.encode_text(texts, batch_size))

    def encode_images(self, images: Tensor) -> Tensor:
        """Embed images, see ``Teacher``; these are of unit norm."""
        return self.embedding_map.images(normalize(self.inner.encode_images(images), dim=-1))

    def embed_crops(self, crops: Tensor, policy: CropPolicy | None = None) -> Tensor:
        """Embed the crops of regions, see ``Teacher``: the map follows after the scales."""
        return self.embedding_map.images(self.inner.embed_crops(crops, policy))

    @property
    def dense_stride(self) -> int:
        """Pixels of a position of dense features, see ``Teacher``."""
        return self.inner.dense_stride

    def encode_dense(self, images: Tensor) -> Tensor:
        """Embed every position of images, see ``Teacher``: each is mapped."""
        features = self.inner.encode_dense(images).permute(0, 2, 3, 1)
        mapped = self.embedding_map.images(features.flatten(0, 2))
        return mapped.unflatten(0, features.shape[:3]).permute(0, 3, 1, 2)

    def embed_dense(self, batch: DenseBatch) -> Tensor:
        """Embed regions from one pass, see ``Teacher``: the map follows after the pooling."""
        return self.embedding_map.images(self.inner.embed_dense(batch))

    def text_tower(self) -> TextTower:
        """Return the text tower, with the map behind it."""
        tower = self.inner.text_tower()
        tower.after = self.embedding_map.texts
        return tower
