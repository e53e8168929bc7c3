"""Optimizer wrappers that leave out a step whose loss or gradients are NaN or infinite."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any

import torch
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from mmengine.runner import autocast
from torch import Tensor

from ovdistill.core.distributed import is_initialized
from ovdistill.core.errors import DivergedError

LEAST_SCALE = 1.0  # of a gradient scaler: below, even unscaled gradients overflow


class FiniteSteps(OptimWrapper):
    """Leaves out the steps whose loss or gradients are not finite.

    Attributes:
        problem: what was not finite in the step that was left out, 'loss' or 'gradient'; "" = it
            was made. ``StopOnNonFinite`` takes it before the next step.
    """

    problem: str = ""
    _loss: Tensor | None = None  # of all batches whose gradients are added up for a step

    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        """Compute gradients, and keep the loss for ``step``."""
        self._loss = loss.detach() + (0 if self._loss is None else self._loss)
        super().backward(loss, **kwargs)

    def step(self, **kwargs: Any) -> None:
        """Change the weights, unless loss or gradients are not finite on one of the ranks.

        Raises:
            DivergedError: nobody has dealt with the former problem.
        """
        if self.problem:
            raise DivergedError(
                f"the {self.problem} is not finite, and the config has no hook that deals with it; "
                "expected default_hooks.non_finite=dict(type='StopOnNonFinite')"
            )
        assert self._loss is not None  # there was a backward pass
        self.problem = self._find_problem(self._loss)
        self._loss = None
        if not self.problem:
            super().step(**kwargs)

    def take_problem(self) -> str:
        """Return the problem of the last step, and forget it."""
        problem, self.problem = self.problem, ""
        return problem

    def _find_problem(self, loss: Tensor) -> str:
        finite = torch.stack([loss.float(), self._gradient_norm(loss.device)]).isfinite()
        if is_initialized():  # every rank must decide the same
            flags = finite.to(torch.uint8)
            torch.distributed.all_reduce(flags, torch.distributed.ReduceOp.MIN)
            finite = flags.bool()
        # one wait for the device in a step, as mmengine's log of each loss is
        of_loss, of_gradient = finite.tolist()
        return "" if of_loss and of_gradient else "gradient" if of_loss else "loss"

    def _gradient_norm(self, device: torch.device) -> Tensor:
        """Return a number that is finite if all gradients are."""
        groups = self.optimizer.param_groups
        grads = [p.grad for group in groups for p in group["params"] if p.grad is not None]
        if not grads:
            return torch.zeros((), device=device)
        return torch.stack(torch._foreach_norm(grads)).float().sum()


@OPTIM_WRAPPERS.register_module()
class FiniteOptimWrapper(FiniteSteps):
    """mmengine's ``OptimWrapper`` with steps that are left out where numbers are not finite."""


@OPTIM_WRAPPERS.register_module()
class FiniteBf16OptimWrapper(FiniteSteps):
    """The same with bfloat16 where it is precise enough, on a CPU too; it needs no loss scale."""

    @contextmanager
    def optim_context(self, model: torch.nn.Module) -> Any:
        """Provide the context of a forward pass."""
        with super().optim_context(model), autocast(dtype=torch.bfloat16):
            yield


@OPTIM_WRAPPERS.register_module()
class FiniteAmpOptimWrapper(FiniteSteps, AmpOptimWrapper):
    """The same with float16 and a loss scale.

    Infinite gradients belong to the search for the scale, and the scaler leaves out such steps
    itself. They are a problem only when the scale falls below ``LEAST_SCALE``.
    """

    def step(self, **kwargs: Any) -> None:
        """Change the weights, and watch the scale."""
        super().step(**kwargs)
        if not self.problem and self.loss_scaler.get_scale() < LEAST_SCALE:
            self.problem = "gradient"

    def _gradient_norm(self, device: torch.device) -> Tensor:
        return torch.zeros((), device=device)
