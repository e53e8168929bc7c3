"""A step whose loss or gradient is not finite is left out, on all ranks or on none."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.optim.optimizer import amp_optimizer_wrapper
from torch import nn

from ovdistill.training.optim_wrappers import (
    DivergedError,
    FiniteAmpOptimWrapper,
    FiniteOptimWrapper,
)

from ..distillation.ranks import run_on_ranks


def wrapper(parameter: nn.Parameter) -> FiniteOptimWrapper:
    return FiniteOptimWrapper(optimizer=torch.optim.SGD([parameter], lr=1.0))


@pytest.mark.parametrize(
    ("factor", "problem"), [(1.0, ""), (float("inf"), "loss"), (float("nan"), "loss")]
)
def test_the_loss_decides(factor: float, problem: str) -> None:
    parameter = nn.Parameter(torch.ones(2))
    own = wrapper(parameter)
    own.update_params((parameter * factor).sum())
    assert own.take_problem() == problem and own.take_problem() == ""
    assert torch.equal(parameter.detach(), torch.ones(2) if problem else torch.zeros(2))
    assert parameter.grad is None  # what was left out is not added to the next


def test_a_loss_of_any_batch_of_a_step_decides() -> None:
    parameter = nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    own = FiniteOptimWrapper(optimizer=optimizer, accumulative_counts=2)
    for factor, problem in ((float("nan"), ""), (1.0, "loss"), (1.0, ""), (1.0, "")):
        own.update_params((parameter * factor).sum())
        assert own.take_problem() == problem
    assert parameter.item() == 0  # the second step, of halves of two gradients of 1


def test_the_gradient_decides() -> None:
    parameter = nn.Parameter(torch.zeros(1))
    own = wrapper(parameter)
    own.update_params(parameter.sqrt().sum())  # 0 with an infinite slope
    assert own.take_problem() == "gradient" and parameter.item() == 0


def test_the_same_steps_as_mmengine() -> None:
    found = []
    for kind in (OptimWrapper, FiniteOptimWrapper):
        parameter = nn.Parameter(torch.ones(3))
        optimizer = torch.optim.AdamW([parameter], lr=0.1)
        own: Any = kind(optimizer=optimizer, clip_grad=dict(max_norm=1), accumulative_counts=2)
        for step in range(6):
            own.update_params((parameter * (step + 1)).square().sum())
        found.append(parameter.detach().clone())
    assert torch.equal(*found)


def test_a_problem_that_nobody_deals_with_is_an_error() -> None:
    parameter = nn.Parameter(torch.ones(1))
    own = wrapper(parameter)
    own.update_params(parameter.sum() * float("nan"))
    with pytest.raises(DivergedError, match="StopOnNonFinite"):
        own.update_params(parameter.sum())


def _decide(rank: int) -> str:
    parameter = nn.Parameter(torch.ones(1))
    own = wrapper(parameter)
    own.update_params(parameter.sum() * (float("nan") if rank else 1.0))
    return f"{own.take_problem()} {parameter.item():g}"


def test_all_ranks_leave_out_the_same_step() -> None:
    assert run_on_ranks(_decide) == ["loss 1", "loss 1"]


def test_a_loss_scale_finds_its_value_and_ends_where_there_is_none(monkeypatch: Any) -> None:
    """On the CPU in place of a GPU, which mmengine's wrapper asks for."""
    monkeypatch.setattr(amp_optimizer_wrapper, "is_cuda_available", lambda: True)
    monkeypatch.setattr(
        amp_optimizer_wrapper,
        "GradScaler",
        lambda **options: torch.amp.GradScaler("cpu", **options),
    )
    parameter = nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([parameter], lr=0.1)
    own = FiniteAmpOptimWrapper(optimizer=optimizer, loss_scale=dict(init_scale=4.0))
    own.update_params(parameter.sum() * float("nan"))
    assert own.take_problem() == "loss" and parameter.item() == 1
    own.update_params(parameter.sum())
    assert not own.take_problem() and parameter.item() == pytest.approx(0.9)
    problems = []
    for _ in range(3):  # infinite gradients of a finite loss: the scale falls 4, 2, 1, 0.5
        own.update_params((parameter - parameter.detach()).sqrt().sum())
        problems.append(own.take_problem())
    assert problems == ["", "", "gradient"] and parameter.item() == pytest.approx(0.9)
