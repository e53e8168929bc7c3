"""A teacher whose embeddings pass a fixed map, see ``EmbeddingMap``."""

from __future__ import annotations

from functools import cached_property

from torch import Tensor

from ovdistill.core.embedding_map import EmbeddingMap, embed_dim_after, mapped_id
from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.teacher.teacher import Teacher
from ovdistill.teacher.wrapped_teacher import WrappedTeacher


class MappedTeacher(WrappedTeacher):
    """Another teacher with a map behind it, for images and for texts.

    Its name and hash name the map too.

    Args:
        teacher: the teacher.
        embedding_map: the map of its embeddings.

    Raises:
        UserError: the map is of another teacher, or of another width.
    """

    def __init__(self, teacher: Teacher, embedding_map: EmbeddingMap) -> None:
        super().__init__(teacher)
        if not embedding_map.teacher.is_same(teacher.id):
            raise UserError(
                f"embedding map {embedding_map.name!r} is of teacher {embedding_map.teacher}; got "
                f"teacher {teacher.id}"
            )
        self.embedding_map = embedding_map
        self.name = mapped_id(TeacherId(teacher.name), embedding_map).name
        self.embed_dim = embed_dim_after(embedding_map, teacher.embed_dim)
        self.temperature = embedding_map.temperature
        self.prompts = teacher.prompts

    @cached_property
    def weights_hash(self) -> str:
        """First 16 hex digits of the SHA-256 over the teacher's hash and the map."""
        return mapped_id(self.inner.id, self.embedding_map).weights_hash

    def change_images(self, embeddings: Tensor) -> Tensor:
        """Map embeddings of images, see ``WrappedTeacher``."""
        return self.embedding_map.images(embeddings)

    def change_texts(self, embeddings: Tensor) -> Tensor:
        """Map embeddings of texts, see ``WrappedTeacher``."""
        return self.embedding_map.texts(embeddings)
