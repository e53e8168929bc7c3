"""A training whose numbers are no longer finite ends before it does harm, or leaves them out."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mmengine.logging import MessageHub, MMLogger
from mmengine.runner import Runner
from safetensors import safe_open
from torch import nn

from ovdistill.core.checkpoints import non_finite, read_weights
from ovdistill.training.non_finite import StopOnNonFinite
from ovdistill.training.optim_wrappers import DivergedError, FiniteOptimWrapper

from .toy import BAD, run_toy, toy_config


def test_nan_ends_the_training_and_names_the_batch(tmp_path: Path) -> None:
    config = toy_config(
        tmp_path, train_dataloader__dataset__bad=BAD, default_hooks__checkpoint__interval=1
    )
    with pytest.raises(DivergedError, match=r"iteration \d.*\b7\b") as caught:
        run_toy(config)
    assert caught.value.exit_code == 3
    kept = [path for path in tmp_path.glob("iter_*.pth") if not path.is_symlink()]
    assert all(not non_finite(read_weights(path)) for path in kept)
    (dumped,) = (tmp_path / "non_finite").iterdir()
    with safe_open(dumped, "pt") as file:
        found = json.loads(file.metadata()["found"])
        place = found["image_ids"].index(BAD[0])
        assert file.get_tensor(f"{place}.image").isnan().all()
    assert found["images"][place] == "7.png" and found["problem"] == "loss"


def test_bad_batches_are_left_out_up_to_a_limit(tmp_path: Path) -> None:
    options = dict(train_dataloader__dataset__bad=BAD, train_cfg__max_iters=20)
    config = toy_config(tmp_path / "some", default_hooks__non_finite__max_skipped=4, **options)
    runner = run_toy(config)
    skipped = runner.message_hub.get_info("skipped_batches")
    assert skipped == 4  # each of the 10 images comes once in five iterations
    assert not non_finite(runner.model.state_dict())
    assert len(list((tmp_path / "some" / "non_finite").iterdir())) == skipped
    config = toy_config(tmp_path / "few", default_hooks__non_finite__max_skipped=3, **options)
    with pytest.raises(DivergedError):
        run_toy(config)


def test_a_step_that_would_spoil_the_weights(tmp_path: Path) -> None:
    config = toy_config(
        tmp_path,
        optim_wrapper__optimizer__lr=1e30,
        param_scheduler=[],
        optim_wrapper__clip_grad=None,
    )
    with pytest.raises(DivergedError):
        run_toy(config)
    assert all(not non_finite(read_weights(path)) for path in tmp_path.glob("*.pth"))


def test_an_optimizer_wrapper_of_another_kind(tmp_path: Path) -> None:
    config = toy_config(tmp_path, train_dataloader__dataset__bad=BAD, train_cfg__max_iters=5)
    config.default_hooks.non_finite.max_skipped = 100  # the step was made, nothing is left out
    with pytest.raises(DivergedError, match=r"iteration \d"):
        Runner.from_cfg(config).train()


def test_weights_that_are_not_finite_are_not_written(tmp_path: Path) -> None:
    config = toy_config(tmp_path, train_cfg__max_iters=3)
    run_toy(config)
    before = (tmp_path / "iter_3.pth").read_bytes()
    config = toy_config(tmp_path, load_from=str(tmp_path / "spoiled.pth"))
    weights = read_weights(tmp_path / "iter_3.pth")
    weights["last.bias"] = torch.tensor([float("inf")])
    torch.save(weights, tmp_path / "spoiled.pth")
    config.optim_wrapper.optimizer.lr = 0.0
    config.default_hooks.non_finite.max_skipped = 100
    with pytest.raises(DivergedError, match=r"last\.bias"):
        run_toy(config)
    assert (tmp_path / "iter_3.pth").read_bytes() == before


class WithNorm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(2)


def test_a_batch_that_is_left_out_leaves_the_running_statistics(tmp_path: Path) -> None:
    """What a forward pass of NaN puts into them would stay for ever."""
    hook, model = StopOnNonFinite(max_skipped=1), WithNorm()
    parameter = nn.Parameter(torch.ones(1))
    own = FiniteOptimWrapper(optimizer=torch.optim.SGD([parameter], lr=1.0))
    runner: Any = SimpleNamespace(
        model=model,
        optim_wrapper=own,
        message_hub=MessageHub.get_instance(tmp_path.name),
        logger=MMLogger.get_instance(tmp_path.name),
        work_dir=str(tmp_path),
        iter=0,
    )
    batch = dict(inputs=[], data_samples=[])
    hook.before_train(runner)
    for value in (1.0, float("nan")):
        model.norm(torch.tensor([[value, 0.0], [3.0, 1.0]]))
        own.update_params(parameter.sum() * value)
        hook.after_train_iter(runner, 0, batch, {"loss": torch.tensor(value)})
    assert model.norm.running_mean.tolist() == pytest.approx([0.2, 0.05])
    assert model.norm.num_batches_tracked == 1
