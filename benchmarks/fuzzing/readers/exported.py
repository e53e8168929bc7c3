"""The metadata of an exported detector, which ``OnnxDetector`` reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np

from ovdistill.core.teacher_id import TeacherId
from ovdistill.inference.calibration import Calibration
from ovdistill.inference.numpy_images import fitting_size
from ovdistill.inference.onnx_header import KEY, OnnxHeader

from ..mutate_bytes import mutate_bytes
from ..mutate_json import dump, mutate_json
from ..reader import Files, Reader, text_of

HEADER = OnnxHeader(
    names=("ring", "star"),
    wanted=1,
    phrases=("ring", "hoop", "star"),
    embed_dim=8,
    teacher=TeacherId("teacher", "1234"),
    texts_as_input=False,
    scale=(1333, 800),
    keep_ratio=True,
    divisor=32,
    least_score=0.001,
    mask_threshold=0.5,
    calibration=Calibration(1.5, -0.5),
    vocabulary_hash="0",
)


class OnnxHeaderReader(Reader):
    """``OnnxHeader``."""

    name = "onnx-header"

    def seeds(self) -> Sequence[Files]:
        """Return what an export writes."""
        return [{"input.txt": HEADER.to_metadata()[KEY].encode()}]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change a value, or a few bytes."""
        content = files["input.txt"]
        if rng.random() < 0.15:
            return {"input.txt": mutate_bytes(content, rng)}
        return {"input.txt": dump(mutate_json(json.loads(content), rng))}

    def read(self, folder: Path) -> None:
        """Use what the header says as ``OnnxDetector`` does."""
        header = OnnxHeader.from_metadata({KEY: text_of(folder)}, "model.onnx")
        assert header.queries
        assert min(fitting_size((480, 640), header.scale, keep_ratio=header.keep_ratio)) > 0
        if header.calibration is not None:
            header.calibration.probabilities(np.array([0.5]))
            header.calibration.score(0.3)
