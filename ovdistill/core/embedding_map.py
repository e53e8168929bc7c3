"""Fixed affine maps of a teacher's embeddings, one for images and one for texts.

A map changes the geometry of the embedding space and keeps its content: it removes the mean of each
modality (centring, arXiv 2412.14384), or adds a gap between them as CLIP has one.

Shapes: n embeddings, D width before, E width after.
"""

from __future__ import annotations

import hashlib
import math
import os
from dataclasses import dataclass

import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ovdistill.core.assets import shipped_embedding_map
from ovdistill.core.checksums import verify_tensors
from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.core.tensor_files import write_tensor_file

FORMAT = "ovdistill-embedding-map-1"
PARTS = ("image_weight", "image_bias", "text_weight", "text_bias")
MAKE = "ovdistill store centre STORE --vocabulary FILE -o MAP.safetensors"


@dataclass(frozen=True, eq=False)
class EmbeddingMap:
    """The maps ``e -> normalize(weight e + bias)`` of image and of text embeddings.

    Attributes:
        name: is added to the teacher's name, e.g. "centred".
        teacher: whose embeddings it maps.
        temperature: divisor that turns cosines into logits after the map.
        tensors: those of ``PARTS`` that the map has: weights (E, D) and biases (E,), float32.
            Without a weight it is the identity, without a bias zero.
    """

    name: str
    teacher: TeacherId
    temperature: float
    tensors: dict[str, Tensor]

    def images(self, embeddings: Tensor) -> Tensor:
        """Map (n, D) unit embeddings of images or regions to (n, E) unit ones."""
        return self._apply(embeddings, "image")

    def texts(self, embeddings: Tensor) -> Tensor:
        """Map (n, D) unit embeddings of texts to (n, E) unit ones."""
        return self._apply(embeddings, "text")

    def _apply(self, embeddings: Tensor, modality: str) -> Tensor:
        weight = self.tensors.get(f"{modality}_weight")
        bias = self.tensors.get(f"{modality}_bias")
        # A product in float32 is rounded in another way for every number of rows; a store has to
        # have the same bytes however its regions were batched.
        exact = embeddings if embeddings.device.type == "mps" else embeddings.double()
        if weight is not None:
            exact = exact @ weight.to(exact).T
        if bias is not None:
            exact = exact + bias.to(exact)
        return F.normalize(exact, dim=-1).to(embeddings)

    @property
    def digest(self) -> str:
        """SHA-256 over the values, in hex digits."""
        digest = hashlib.sha256()
        for part in sorted(self.tensors):
            digest.update(f"{part} {tuple(self.tensors[part].shape)}".encode())
            digest.update(self.tensors[part].cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the map to a safetensors file.

        Raises:
            UserError: the file cannot be written, or could not be read again.
        """
        try:
            _check(self)
        except ValueError as error:
            raise UserError(f"embedding map {self.name!r} is not written: {error}") from error
        texts = {
            "format": FORMAT,
            "name": self.name,
            "temperature": repr(self.temperature),
            **self.teacher.to_header(),
        }
        tensors = {part: value.contiguous() for part, value in self.tensors.items()}
        write_tensor_file(path, tensors, texts)


def read_embedding_map(source: str | os.PathLike[str]) -> EmbeddingMap:
    """Read a map from a file, or one that ships with the package.

    Args:
        source: a file, or 'ovshapes-clip': the gap of CLIP for the teacher of OVShapes.

    Raises:
        UserError: no such file, or not a map.
    """
    path = shipped_embedding_map(str(source))
    if not path.is_file():
        raise UserError(
            f"no embedding map {os.fspath(source)!r}; expected a file, or 'ovshapes-clip'. One "
            f"that centres embeddings is made with:\n  {MAKE}"
        )
    try:
        with safe_open(path, framework="pt") as file:
            texts = file.metadata() or {}
            if texts.get("format") != FORMAT:
                raise UserError(f"{path} is no embedding map; make one with:\n  {MAKE}")
            verify_tensors(path)
            tensors = {part: file.get_tensor(part) for part in {*PARTS} & {*file.keys()}}
        found = EmbeddingMap(
            texts["name"], TeacherId.from_header(texts), float(texts["temperature"]), tensors
        )
        _check(found)
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise UserError(
            f"embedding map {path} is damaged ({error}). Make it again with:\n  {MAKE}"
        ) from error
    return found


def _check(found: EmbeddingMap) -> None:
    """Raise ValueError for tensors that do not fit together or are not finite."""
    if not 0 < found.temperature < math.inf:
        raise ValueError(f"temperature {found.temperature}; expected a number above 0")
    for part, value in found.tensors.items():
        if value.ndim != (2 if part.endswith("weight") else 1) or not value.isfinite().all():
            raise ValueError(f"{part} {tuple(value.shape)} has a wrong shape or NaN")
    widths = {value.shape[0] for value in found.tensors.values()}
    if len(widths) != 1:
        raise ValueError(f"parts of the widths {sorted(widths)}; expected one width")


def embed_dim_after(found: EmbeddingMap, embed_dim: int) -> int:
    """Return E for embeddings of width D.

    Raises:
        UserError: the map takes another width.
    """
    width = next(iter(found.tensors.values())).shape[0]
    for modality in ("image", "text"):
        weight = found.tensors.get(f"{modality}_weight")
        takes = width if weight is None else weight.shape[1]
        if takes != embed_dim:
            raise UserError(
                f"embedding map {found.name!r} takes embeddings of width {takes}; the teacher's "
                f"are of width {embed_dim}"
            )
    return int(width)


def mapped_id(teacher: TeacherId, embedding_map: EmbeddingMap) -> TeacherId:
    """Return the TeacherId of a teacher with a map behind it."""
    return teacher.followed_by(embedding_map.name, embedding_map.digest)
