"""Fills a store of captions: a file in COCO's format and the teacher's embeddings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import torch

from ovdistill.core.logs import progress
from ovdistill.datasets.annotations import read_captions
from ovdistill.extraction.noun_phrases import noun_phrases
from ovdistill.store.captions import write_captions
from ovdistill.teacher import build_teacher

TEXTS_PER_BATCH = 256


def extract_captions(
    config: Mapping[str, Any], annotations: str | os.PathLike[str], path: str | os.PathLike[str]
) -> None:
    """Writes the store of a caption file, with embeddings by the config's teacher.

    Raises:
        UserError: see ``read_captions`` and ``write_captions``.
    """
    teacher = build_teacher(config["teacher"])
    captions = read_captions(annotations)
    texts = _Texts()
    phrases = {
        image: [(texts[text], [texts[phrase] for phrase in noun_phrases(text)]) for text in own]
        for image, own in captions.items()
    }
    different = texts.all
    embeddings = [
        teacher.encode_text(different[start : start + TEXTS_PER_BATCH]).cpu()
        for start in progress(
            range(0, len(different), TEXTS_PER_BATCH),
            title="captions",
            unit=f"{TEXTS_PER_BATCH} texts",
        )
    ]
    header = dict(**teacher.id.to_header(), annotations=os.fspath(annotations))
    write_captions(path, phrases, torch.cat(embeddings) if embeddings else torch.empty(0), header)


class _Texts:
    """Numbers of different texts, in the order of their first use."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    @property
    def all(self) -> list[str]:
        return list(self._numbers)

    def __getitem__(self, text: str) -> int:
        return self._numbers.setdefault(text, len(self._numbers))
