"""The text embeddings of the base names while a teacher is fine-tuned.

Shapes: C base classes, D embedding width.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ovdistill.teacher import OpenCLIPTeacher
from ovdistill.teacher_training.adapt.data import AdaptData
from ovdistill.vocabulary.prompts import fill_template


class BaseTexts:
    """Encodes the base names anew in every step, or gives what the vocabulary has.

    Args:
        data: its base names.
        model: the open_clip model whose text tower is tuned; None for the vocabulary's embeddings,
            which stay.
        seed: of the prompt, one of the vocabulary's, that all names take in a step.
    """

    def __init__(self, data: AdaptData, model: Any | None, seed: int) -> None:
        self._fixed = data.base_texts.to(data.teacher.device)
        self._model = model
        if model is None:
            return
        assert isinstance(data.teacher, OpenCLIPTeacher)
        names = [data.vocabulary.names[row] for row in data.base_rows.tolist()]
        self._tokens = [
            data.teacher.tokenizer([fill_template(template, name) for name in names]).to(
                data.teacher.device
            )
            for template in data.vocabulary.templates
        ]
        self._generator = torch.Generator().manual_seed(seed)

    def __call__(self) -> Tensor:
        """Return (C, D) unit embeddings, with gradient if the text tower is tuned."""
        if self._model is None:
            return self._fixed
        choice = torch.randint(len(self._tokens), (), generator=self._generator)
        return normalize(self._model.encode_text(self._tokens[int(choice)]).float(), dim=-1)
