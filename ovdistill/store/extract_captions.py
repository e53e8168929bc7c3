"""Fills a store of captions: a file in COCO's format and the teacher's embeddings."""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch
from mmengine.config import Config
from tqdm import tqdm

from ovdistill.errors import UserError
from ovdistill.store.captions import write_captions
from ovdistill.teacher import build_teacher
from ovdistill.vocabulary.phrases import noun_phrases

TEXTS_A_BATCH = 256


def read_captions(path: str | os.PathLike[str]) -> dict[int, list[str]]:
    """Captions of a file in COCO's format, by image id.

    Raises:
        UserError: no such file, or not in that format.
    """
    try:
        records = json.loads(Path(path).read_text())["annotations"]
        captions: dict[int, list[str]] = {}
        for record in records:
            captions.setdefault(int(record["image_id"]), []).append(str(record["caption"]).strip())
    except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise UserError(
            f"cannot read captions from {os.fspath(path)!r} ({error!r}); expected a file in COCO's "
            "format, such as captions_train2017.json, with annotations of image_id and caption"
        ) from error
    return captions


def extract_captions(
    config: Config, annotations: str | os.PathLike[str], path: str | os.PathLike[str]
) -> None:
    """Writes the store of a caption file, with embeddings by the config's teacher.

    Raises:
        UserError: see ``read_captions`` and ``write_captions``.
    """
    teacher = build_teacher(config.teacher)
    captions = read_captions(annotations)
    texts = _Texts()
    phrases = {
        image: [(texts[text], [texts[phrase] for phrase in noun_phrases(text)]) for text in own]
        for image, own in captions.items()
    }
    different = texts.all
    embeddings = [
        teacher.encode_text(different[start : start + TEXTS_A_BATCH]).cpu()
        for start in tqdm(
            range(0, len(different), TEXTS_A_BATCH), desc="captions", unit=f"{TEXTS_A_BATCH} texts"
        )
    ]
    header = dict(
        teacher=teacher.id, teacher_hash=teacher.weights_hash, annotations=os.fspath(annotations)
    )
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
