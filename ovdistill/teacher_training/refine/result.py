"""Write a refined teacher as an ordinary folder that ``OpenCLIPTeacher`` loads."""

from __future__ import annotations

from pathlib import Path

from ovdistill.core.files import write_json
from ovdistill.teacher.teacher_folder import PROVENANCE_NAME, TeacherConfig, write_weights
from ovdistill.teacher_training.refine.refiner import Refiner


def write_refined(refiner: Refiner, config: TeacherConfig, folder: Path) -> Path:
    """Write the teacher's folder, and delete the checkpoints.

    Args:
        refiner: it has made all its steps.
        config: what the folder states.
        folder: of the teacher.

    Returns:
        ``folder``.
    """
    write_weights(folder, refiner.model, half=refiner.settings.training.half_weights)
    write_json(folder / PROVENANCE_NAME, {"method": "CLIPSelf", **refiner.state()})
    config.write(folder)
    refiner.checkpoints.clear()
    return folder
