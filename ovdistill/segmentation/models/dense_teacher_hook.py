"""The hook that gives a segmentor its dense teacher."""

from __future__ import annotations

from typing import Any, Protocol

from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from ovdistill.core.distributed import unwrapped
from ovdistill.core.errors import UserError
from ovdistill.models.components import name_of
from ovdistill.segmentation.dense_teacher import DenseTeacher
from ovdistill.teacher import build_teacher


class TakesDenseTeacher(Protocol):
    """A model that may need a dense teacher."""

    @property
    def needs_dense_teacher(self) -> bool:
        """Whether it does in training."""

    @property
    def predicts_with_teacher(self) -> bool:
        """Whether it does in predictions."""

    def set_dense_teacher(self, teacher: DenseTeacher | None) -> None:
        """Take it."""


@HOOKS.register_module()
class BuildDenseTeacher(Hook):
    """Builds the config's ``teacher`` for a segmentor that needs it, when a run begins.

    Args:
        scale: see ``DenseTeacher``.
    """

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def before_train(self, runner: Any) -> None:
        """Give the segmentor its teacher."""
        model = _model_of(runner)
        if model.needs_dense_teacher:
            self._give(runner, model)

    def before_test(self, runner: Any) -> None:
        """Give the segmentor its teacher, if it predicts with it; a loss is not computed."""
        model = _model_of(runner)
        if model.predicts_with_teacher:
            self._give(runner, model)

    def _give(self, runner: Any, model: TakesDenseTeacher) -> None:
        options = runner.cfg.get("teacher")
        if not options:
            raise UserError(
                f"{name_of(runner.cfg)} has no `teacher`, which its segmentor needs for dense "
                "embeddings"
            )
        device = next(runner.model.parameters()).device
        model.set_dense_teacher(DenseTeacher(build_teacher(options, device), self.scale))


def _model_of(runner: Any) -> TakesDenseTeacher:
    model: TakesDenseTeacher = unwrapped(runner.model)
    return model
