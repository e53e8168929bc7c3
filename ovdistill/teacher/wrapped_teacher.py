"""Base class of teachers that are another teacher with something behind its towers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence

from torch import Tensor
from torch.nn.functional import normalize

from ovdistill.teacher.crops import CropPolicy
from ovdistill.teacher.dense_regions import DenseBatch
from ovdistill.teacher.image_tower import ImageTower
from ovdistill.teacher.teacher import Teacher
from ovdistill.teacher.text_tower import TextTower


class WrappedTeacher(Teacher):
    """Another teacher whose embeddings are changed, those of images and those of texts.

    It is a teacher of its own: a subclass sets its ``name``, ``embed_dim``, ``temperature`` and
    ``weights_hash``, so that what is made with and without the change cannot be mixed.

    Args:
        teacher: the teacher.

    Attributes:
        inner: the teacher.
    """

    def __init__(self, teacher: Teacher) -> None:
        super().__init__(teacher.crops)
        self.inner = teacher
        self.image_size = teacher.image_size
        self.interpolation = teacher.interpolation
        self.random = teacher.random
        self.whole_image = teacher.whole_image
        self.precision = getattr(teacher, "precision", "fp32")

    @abstractmethod
    def change_images(self, embeddings: Tensor) -> Tensor:
        """Change (n, D) unit embeddings of images or regions to (n, E) unit ones, both float32."""

    @abstractmethod
    def change_texts(self, embeddings: Tensor) -> Tensor:
        """Change (n, D) unit embeddings of texts to (n, E) unit ones, both float32."""

    def encode_text(self, texts: Sequence[str], batch_size: int = 256) -> Tensor:
        """Embed texts, see ``Teacher``."""
        return self.change_texts(self.inner.encode_text(texts, batch_size))

    def encode_images(self, images: Tensor) -> Tensor:
        """Embed images, see ``Teacher``; these are of unit norm."""
        return self.change_images(normalize(self.inner.encode_images(images), dim=-1))

    def embed_crops(self, crops: Tensor, policy: CropPolicy | None = None) -> Tensor:
        """Embed the crops of regions, see ``Teacher``: the change follows after the scales."""
        return self.change_images(self.inner.embed_crops(crops, policy))

    @property
    def dense_stride(self) -> int:
        """Pixels of a position of dense features, see ``Teacher``."""
        return self.inner.dense_stride

    def encode_dense(self, images: Tensor) -> Tensor:
        """Embed every position of images, see ``Teacher``: each is changed."""
        features = self.inner.encode_dense(images).permute(0, 2, 3, 1)
        changed = self.change_images(features.flatten(0, 2))
        return changed.unflatten(0, features.shape[:3]).permute(0, 3, 1, 2)

    def embed_dense(self, batch: DenseBatch) -> Tensor:
        """Embed regions from one pass, see ``Teacher``: the change follows after the pooling."""
        return self.change_images(self.inner.embed_dense(batch))

    def text_tower(self) -> TextTower:
        """Return the text tower, with the change behind it."""
        tower = self.inner.text_tower()
        tower.after = _following(tower.after, self.change_texts)
        return tower

    def image_tower(self) -> ImageTower:
        """Return the image tower, with the change behind it."""
        tower = self.inner.image_tower()
        tower.after = _following(tower.after, self.change_images)
        return tower


def _following(
    first: Callable[[Tensor], Tensor] | None, second: Callable[[Tensor], Tensor]
) -> Callable[[Tensor], Tensor]:
    """Return the function that applies both, one after the other."""
    if first is None:
        return second

    def both(embeddings: Tensor) -> Tensor:
        return second(first(embeddings))

    return both
