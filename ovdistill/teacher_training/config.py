"""What a config of a teacher's training holds, checked and built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from ovdistill.core.errors import UserError
from ovdistill.core.seeds import drawn_by
from ovdistill.core.text import did_you_mean
from ovdistill.teacher.teacher_folder import TeacherConfig
from ovdistill.teacher_training.build_towers import build_towers
from ovdistill.teacher_training.data.registry import build_data
from ovdistill.teacher_training.data.source import BatchSource
from ovdistill.teacher_training.objective import Objective
from ovdistill.teacher_training.open_clip_towers import OpenCLIPTowers
from ovdistill.teacher_training.registry import build_objective
from ovdistill.teacher_training.settings import TrainingSettings
from ovdistill.teacher_training.zero_shot import HeldOut

NEEDED = ("model", "data", "objectives", "training")
OPTIONAL = ("augmentation", "held_out", "custom_imports")


class Trained(nn.Module):
    """Everything that has weights: the towers, and the layers of objectives."""

    def __init__(self, towers: OpenCLIPTowers, objectives: Sequence[Objective]) -> None:
        super().__init__()
        self.towers = towers
        self.objectives = nn.ModuleList(objectives)


@dataclass(frozen=True, eq=False)
class TeacherTraining:
    """A training that is ready to start.

    Attributes:
        content: the config, as plain values.
        settings: its numbers.
        trained: towers and objectives.
        teacher: what the result's folder will state.
        data: where the batches come from.
        needs: what the objectives need, see ``Objective.needs``.
        held_out: labelled images to measure accuracy on; None for no measurement.
    """

    content: dict[str, Any]
    settings: TrainingSettings
    trained: Trained
    teacher: TeacherConfig
    data: BatchSource
    needs: frozenset[str]
    held_out: HeldOut | None

    @classmethod
    def build(cls, config: Mapping[str, Any]) -> TeacherTraining:
        """Build everything that a config describes; what is cheap to check comes first.

        Args:
            config: plain values with the keys ``NEEDED`` and perhaps ``OPTIONAL``
                (docs/teacher_training.md).

        Raises:
            UserError: a key that is missing or read by nothing, an objective that needs what the
                data do not have, or see what the parts are built with.
        """
        check_keys(config)
        settings = TrainingSettings.read(config["training"])
        with drawn_by(settings.seed):  # the same layers in every process
            objectives = [build_objective(options) for options in _listed(config["objectives"])]
        data = build_data(config["data"], config.get("augmentation") or {})
        check_needs(objectives, data)
        if settings.part is not None and not data.divisible:
            raise UserError(
                f"training.part is {settings.part}, but batches of {type(data).__name__} belong "
                "together; expected None"
            )
        held_out = HeldOut(config["held_out"]) if config.get("held_out") else None
        towers, teacher = build_towers(config["model"], settings.seed)
        with drawn_by(settings.seed):
            for objective in objectives:
                objective.set_towers(towers)
        return cls(
            content=dict(config),
            settings=settings,
            trained=Trained(towers, objectives),
            teacher=teacher,
            data=data,
            needs=frozenset(name for objective in objectives for name in objective.needs),
            held_out=held_out,
        )


def check_keys(config: Mapping[str, Any]) -> None:
    """Raise UserError unless a config has what a training of a teacher reads, and no more."""
    if missing := [key for key in NEEDED if not config.get(key)]:
        raise UserError(
            f"the config has no {', '.join(missing)}; expected {', '.join(NEEDED)} "
            "(docs/teacher_training.md)"
        )
    known = (*NEEDED, *OPTIONAL)
    if other := [key for key in config if key not in known]:
        hint = did_you_mean(other[0], known, f"expected {', '.join(known)}")
        raise UserError(f"the config has {', '.join(other)}, which nothing reads; {hint}")


def check_needs(objectives: Sequence[Objective], data: BatchSource) -> None:
    """Raise UserError if an objective needs what the data do not have."""
    for objective in objectives:
        if missing := [name for name in objective.needs if name not in data.provides]:
            raise UserError(
                f"objective {type(objective).__name__} needs {', '.join(missing)}; the data have "
                f"{', '.join(data.provides)}. docs/teacher_training.md says which source has what: "
                "CocoBoxes has boxes, and every source of pairs has views"
            )


def _listed(options: Any) -> Sequence[Any]:
    return options if isinstance(options, (list, tuple)) else [options]
