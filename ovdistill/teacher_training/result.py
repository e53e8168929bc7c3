"""Write the teacher that a training ends with, and where it comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ovdistill.core.files import write_json
from ovdistill.core.provenance import provenance
from ovdistill.teacher.teacher_folder import PROVENANCE_NAME, write_weights
from ovdistill.teacher_training.config import TeacherTraining


def write_result(folder: Path, training: TeacherTraining, figures: Mapping[str, Any]) -> None:
    """Write a folder that ``OpenCLIPTeacher`` loads, and ``provenance.json``.

    Args:
        folder: the folder.
        training: with the trained towers.
        figures: what was measured at the end.
    """
    model = training.trained.towers.model
    path = write_weights(folder, model, half=training.settings.half_weights)
    origin = provenance(
        teacher=training.teacher.name,
        weights=path.name,
        training=json.loads(json.dumps(training.content, default=str)),
        figures=dict(figures),
    )
    write_json(folder / PROVENANCE_NAME, origin)
    training.teacher.write(folder)
