"""Fills a store of captions: reads a file in COCO's format and embeds its texts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ovdistill.core.devices import choose_device
from ovdistill.core.files import hash_file
from ovdistill.core.logs import progress
from ovdistill.datasets.annotations.captions import ImageNames, read_captions
from ovdistill.extraction.noun_phrases import noun_phrases
from ovdistill.extraction.teacher_origin import teacher_origin
from ovdistill.store.captions import write_captions
from ovdistill.teacher import build_teacher

TEXTS_PER_BATCH = 256


def extract_captions(
    config: Mapping[str, Any],
    annotations: str | Path,
    path: str | Path,
    images: ImageNames | None = None,
) -> None:
    """Write the store of a caption file: its captions and their noun phrases, embedded.

    Args:
        config: its ``teacher`` embeds the texts.
        annotations: the captions, a file in COCO's format.
        path: the store to write.
        images: those that the captions are for, see ``read_captions``.

    Raises:
        UserError: see ``read_captions`` and ``write_captions``.
    """
    teacher = build_teacher(config["teacher"], choose_device())
    captions = read_captions(annotations, images)
    texts = _Texts()
    phrases = {
        image: [(texts[text], [texts[phrase] for phrase in noun_phrases(text)]) for text in own]
        for image, own in captions.items()
        if own
    }
    starts = range(0, len(texts), TEXTS_PER_BATCH)
    embeddings = [
        teacher.encode_text(texts.unique[start : start + TEXTS_PER_BATCH]).cpu()
        for start in progress(starts, title="captions", unit=f"{TEXTS_PER_BATCH} texts")
    ]
    header = dict(
        **teacher.id.to_header(),
        annotations=str(annotations),
        annotations_hash=hash_file(annotations),
        **teacher_origin(config["teacher"]),
    )
    write_captions(path, phrases, torch.cat(embeddings) if embeddings else torch.empty(0), header)


class _Texts:
    """Numbers each text by its first use, so that every text is embedded once.

    Attributes:
        unique: the texts in the order of their numbers.
    """

    def __init__(self) -> None:
        self.unique: list[str] = []
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.unique)

    def __getitem__(self, text: str) -> int:
        if text not in self._numbers:
            self._numbers[text] = len(self.unique)
            self.unique.append(text)
        return self._numbers[text]
