"""Checkpoints of a teacher's training: folders that are complete or not there.

``checkpoints/step_00000500/`` holds ``weights.safetensors``, of towers and objectives, and
``training.pth`` with the state of the optimizer, the number of the step and the settings.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ovdistill.core.checkpoints import read_checkpoint, read_weights, write_checkpoint
from ovdistill.core.errors import UserError
from ovdistill.core.files import TEMPORARY, atomic_folder
from ovdistill.core.tensor_files import write_tensor_file
from ovdistill.teacher.teacher_folder import plain_state

FOLDER, WEIGHTS, STATE = "checkpoints", "weights.safetensors", "training.pth"


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of a training in its folder.

    Attributes:
        folder: of the training.
        kept: how many stay.
    """

    folder: Path
    kept: int

    def save(
        self,
        step: int,
        trained: nn.Module,
        optimizer: torch.optim.Optimizer,
        settings: Mapping[str, Any],
    ) -> Path:
        """Write the checkpoint after a number of steps, then delete those that are too many.

        Args:
            step: how many steps were made.
            trained: towers and objectives.
            optimizer: of their weights.
            settings: plain JSON values that a run that goes on is compared with.

        Returns:
            The folder of the checkpoint.
        """
        path = self.folder / FOLDER / f"step_{step:08d}"
        with atomic_folder(path) as temporary:
            write_tensor_file(temporary / WEIGHTS, plain_state(trained), {"step": str(step)})
            content = dict(step=step, settings=dict(settings), optimizer=optimizer.state_dict())
            write_checkpoint(temporary / STATE, content)
        for old in [*self._listed()[: -self.kept], *self._left()]:
            shutil.rmtree(old)
        return path

    def last(self) -> Path | None:
        """Return the newest checkpoint, None where there is none."""
        listed = self._listed()
        return listed[-1] if listed else None

    def clear(self) -> None:
        """Delete all checkpoints, and what killed runs have left of them; nothing else."""
        for own in [*self._listed(), *self._left()]:
            shutil.rmtree(own)
        folder = self.folder / FOLDER
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()

    def _listed(self) -> list[Path]:
        """Return the folders of complete checkpoints, the newest last."""
        found = (self.folder / FOLDER).glob("step_*")
        return sorted(path for path in found if path.suffix != TEMPORARY)

    def _left(self) -> list[Path]:
        """Return what killed runs have left half written."""
        found = (self.folder / FOLDER).glob("*step_*")
        return [path for path in found if path.suffix == TEMPORARY]


def load_checkpoint(
    path: Path, trained: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[int, dict[str, Any]]:
    """Set weights and optimizer to those of a checkpoint.

    Args:
        path: folder of the checkpoint.
        trained: towers and objectives.
        optimizer: of their weights.

    Returns:
        How many steps were made, and the settings.

    Raises:
        UserError: it is damaged, or of another model or other objectives.
    """
    state = read_checkpoint(path / STATE)
    try:
        trained.load_state_dict(read_weights(path / WEIGHTS))
        # the optimizer's state has settings too; those of the config count
        chosen = [(group["weight_decay"], group["betas"]) for group in optimizer.param_groups]
        optimizer.load_state_dict(state["optimizer"])
        for group, (weight_decay, betas) in zip(optimizer.param_groups, chosen, strict=True):
            group.update(weight_decay=weight_decay, betas=betas)
        return int(state["step"]), dict(state["settings"])
    except (RuntimeError, ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise UserError(
            f"{path} is not a checkpoint of this config ({reason}); resume with the config that it "
            "was trained with, or start anew in another folder"
        ) from error
