"""File of captions: image id -> teacher embeddings of its captions and of their noun phrases.

One safetensors file, in which a text that occurs several times is embedded once.

Shapes: C captions of an image, M noun phrases of a caption, T different texts, D embedding width.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ovdistill.core.errors import UserError
from ovdistill.core.header_values import TEXT, expect
from ovdistill.core.teacher_id import TeacherId
from ovdistill.store.mapped_tensors import MappedTensors, read_header, write_tensors

FORMAT = "ovdistill-captions-1"
FIX = "make it again: ovdistill prepare does so from prepare.captions of a config"
INDICES = (
    *("captions_of_image", "phrases_of_caption", "image_ids"),
    *("caption_text", "phrase_text"),
)


@dataclass(frozen=True, eq=False)
class Caption:
    """Caption of an image, embedded by the teacher.

    Attributes:
        embedding: (D,) float32, unit norm, of the whole caption.
        phrases: (M, D) float32, unit norm, of its noun phrases; M may be 0.
    """

    embedding: Tensor
    phrases: Tensor


class CaptionStore:
    """Captions of a file, by image id: ``store[image_id]`` is a tuple of one or more ``Caption``.

    Args:
        path: the file.

    Attributes:
        path: the file.
        header: what the file states of its origin, as plain JSON values.

    Raises:
        UserError: no such file, damaged, or no file of captions.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.header, indices = read_header(self.path, FORMAT, INDICES, FIX)
        self._mapped = MappedTensors(self.path)
        try:
            self._check(**indices)
        except (ValueError, KeyError) as error:
            raise UserError(f"{self.path!r} ({FORMAT}) is damaged ({error}); {FIX}") from error
        self._captions_of_image, self._phrases_of_caption, image_ids, *_ = indices.values()
        self._rows = {image_id: row for row, image_id in enumerate(image_ids.tolist())}

    def __len__(self) -> int:
        return len(self._rows)

    def _check(
        self,
        captions_of_image: Tensor,
        phrases_of_caption: Tensor,
        image_ids: Tensor,
        caption_text: Tensor,
        phrase_text: Tensor,
    ) -> None:
        """Raise ValueError if the parts of the file do not fit each other."""
        for key in ("teacher", "teacher_hash"):
            expect({key: "", **self.header}, key, TEXT)
        parts = captions_of_image, phrases_of_caption, image_ids, caption_text, phrase_text
        if any(part.dtype != torch.int64 or part.ndim != 1 for part in parts):
            raise ValueError("an index is not of whole numbers")
        check_offsets(captions_of_image, len(image_ids), len(caption_text), least=1)
        check_offsets(phrases_of_caption, len(caption_text), len(phrase_text))
        embeddings = self._mapped["embeddings"]
        shape = embeddings.get_shape()
        if len(shape) != 2 or embeddings.get_dtype() != "F16":
            raise ValueError(f"embeddings are {embeddings.get_dtype()} {shape}")
        for text in (caption_text, phrase_text):
            if len(text) and (text.min() < 0 or text.max() >= shape[0]):
                raise ValueError(f"it names texts beyond its {shape[0]} embeddings")
        if len(image_ids.unique()) < len(image_ids):
            raise ValueError("an image is in it twice")

    @property
    def teacher(self) -> TeacherId:
        """Teacher that embedded the captions."""
        return TeacherId.from_header(self.header)

    def __getitem__(self, image_id: int) -> tuple[Caption, ...]:
        """Return the captions of an image.

        Raises:
            UserError: the file has none of this image.
        """
        row = self._rows.get(int(image_id))
        if row is None:
            raise UserError(
                f"image {image_id} has no caption in {self.path!r} of {len(self)} images; expected "
                f"the captions of this data set; {FIX}"
            )
        start, end = self._captions_of_image[row : row + 2].tolist()
        return tuple(self._caption(number) for number in range(start, end))

    def _caption(self, number: int) -> Caption:
        start, end = self._phrases_of_caption[number : number + 2].tolist()
        texts = self._mapped["caption_text"][number : number + 1].tolist()
        texts += self._mapped["phrase_text"][start:end].tolist()
        embeddings = self._mapped["embeddings"]
        rows = torch.cat([embeddings[text : text + 1] for text in texts])
        norms = rows.float().norm(dim=-1)
        if not (norms.isfinite() & (norms > 0)).all():
            raise UserError(f"an embedding in {self.path!r} is zero or NaN: it is damaged; {FIX}")
        rows = normalize(rows.float(), dim=-1)
        return Caption(rows[0], rows[1:])


def check_offsets(offsets: Tensor, count: int, rows: int, least: int = 0) -> None:
    """Raise ValueError unless offsets cut rows into parts.

    Args:
        offsets: (count + 1,) int64; part i is rows offsets[i] to offsets[i + 1].
        count: number of parts.
        rows: number of rows.
        least: the smallest size of a part.
    """
    if len(offsets) != count + 1 or offsets[0] != 0 or offsets[-1] != rows:
        raise ValueError(f"its offsets do not cut {rows} rows into {count} parts")
    if (offsets.diff() < least).any():
        raise ValueError("its offsets do not ascend")


def write_captions(
    path: str | os.PathLike[str],
    captions: Mapping[int, Sequence[tuple[int, Sequence[int]]]],
    embeddings: Tensor,
    header: dict[str, Any],
) -> None:
    """Write a file of captions, complete or not at all.

    Args:
        path: the file.
        captions: image id -> for each of its captions the row of ``embeddings`` that holds it, and
            the rows of its noun phrases.
        embeddings: (T, D) float; stored as float16 of unit norm.
        header: origin of the captions, as plain JSON values; with 'teacher' and 'teacher_hash'.

    Raises:
        UserError: no captions, or an embedding that is zero or NaN.
    """
    if not captions:
        raise UserError(f"no captions for {os.fspath(path)!r}; expected at least one")
    norms = embeddings.float().norm(dim=-1)
    if not (torch.isfinite(norms) & (norms > 0)).all():
        raise UserError(f"an embedding for {os.fspath(path)!r} is zero or NaN")
    own = [item for image in captions.values() for item in image]
    tensors = {
        "embeddings": normalize(embeddings.float(), dim=-1).half(),
        "image_ids": torch.tensor(list(captions)),
        "captions_of_image": torch.tensor([0, *map(len, captions.values())]).cumsum(0),
        "caption_text": torch.tensor([text for text, _ in own]),
        "phrases_of_caption": torch.tensor([0, *(len(rows) for _, rows in own)]).cumsum(0),
        "phrase_text": torch.tensor([row for _, rows in own for row in rows], dtype=torch.int64),
    }
    write_tensors(path, tensors, FORMAT, header)
