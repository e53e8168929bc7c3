"""The seam of adapters: what a teacher learns from a field of its own, in front of it or behind it.

An adapter changes what goes into the image tower, or what comes out of the towers; the teacher's
weights stay. ``AdaptedTeacher`` puts one around a teacher, ``adapter_file`` writes and reads one. A
kind of adapters is a subclass, registered with the decorator::

    @register_adapter
    class MyAdapter(TeacherAdapter): ...

Shapes: n images or texts, S side of the teacher's input, D width of the teacher's embeddings, E
width of the adapter's.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from torch import Tensor, nn

from ovdistill.core.class_table import add_class
from ovdistill.core.teacher_id import TeacherId
from ovdistill.teacher.adapted_prompts import AdaptedPrompts
from ovdistill.teacher.teacher import hash_weights


class TeacherAdapter(nn.Module, ABC):
    """Base class of adapters; every hook changes nothing unless a subclass overrides it.

    The arguments of a subclass are the values of its ``settings``, by name. All its tensors are
    parameters or persistent buffers, which the file holds. A gradient reaches them through the
    hooks, by which they are learned.

    Attributes:
        kind: name of the kind in files, such as "clip-adapter".
        temperature: divisor that turns cosines into logits after the adapter; None for the
            teacher's own.
        tied_to_prompts: the adapter knows class names by the embeddings of their prompts, so no
            other prompts can be learned behind it.
    """

    kind: ClassVar[str] = ""
    temperature: float | None = None
    tied_to_prompts: ClassVar[bool] = False

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments that the adapter was built with, as plain JSON values."""
        return {}

    @property
    def prompts(self) -> AdaptedPrompts | None:
        """Prompts that class names take with this adapter; None for those of the user."""
        return None

    def embed_dim_after(self, embed_dim: int) -> int:
        """Return E for embeddings of width D.

        Raises:
            UserError: the adapter takes another width.
        """
        return embed_dim

    def check_values(self) -> None:
        """Raise ValueError for tensors of a file whose values do not fit; they are finite."""

    def adapt_pixels(self, images: Tensor) -> Tensor:
        """Change images in front of the image tower.

        Args:
            images: (n, 3, S, S) float32 RGB in [0, 1].

        Returns:
            As ``images``.
        """
        return images

    def adapt_images(self, embeddings: Tensor) -> Tensor:
        """Change embeddings of images or regions; the computation is in their dtype.

        Args:
            embeddings: (n, D) float32 or float64, unit norm.

        Returns:
            (n, E) of the same dtype, unit norm.
        """
        return embeddings

    def adapt_texts(self, embeddings: Tensor) -> Tensor:
        """Change embeddings of texts, as ``adapt_images``."""
        return embeddings

    @property
    def changes_pixels(self) -> bool:
        """Whether images have to go through the image tower again."""
        return type(self).adapt_pixels is not TeacherAdapter.adapt_pixels

    @property
    def digest(self) -> str:
        """SHA-256 over kind, settings and tensors, in hex digits."""
        settings = json.dumps(self.settings, sort_keys=True)
        content = f"{self.kind} {settings} {hash_weights(self.state_dict())}"
        return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class NamedAdapter:
    """An adapter with its name, and the teacher that it is of.

    Attributes:
        name: is added to the teacher's name, such as "clip-adapter".
        teacher: the teacher that it was learned with, whose embeddings it takes.
        adapter: the adapter.
    """

    name: str
    teacher: TeacherId
    adapter: TeacherAdapter


ADAPTERS: dict[str, type[TeacherAdapter]] = {}
T = TypeVar("T", bound=type[TeacherAdapter])


def register_adapter(adapter_class: T) -> T:
    """Register a class under its kind, so that files can name it; use it as a decorator.

    Returns:
        The class, unchanged.

    Raises:
        ValueError: it has no kind, or another module has registered one of this kind.
    """
    kind, own = adapter_class.kind, adapter_class.__name__
    if not kind:
        raise ValueError(f"adapter {own} has kind {kind!r}; expected a name")
    return add_class(ADAPTERS, adapter_class, f"{own}: an adapter of kind", kind)


def adapted_id(teacher: TeacherId, named: NamedAdapter) -> TeacherId:
    """Return the TeacherId of a teacher with an adapter.

    The name tells adapters of other content apart, also where only names are compared.
    """
    digest = named.adapter.digest
    own = named.name if digest[:6] in named.name else f"{named.name}-{digest[:6]}"
    return teacher.followed_by(own, digest)
