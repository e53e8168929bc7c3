"""Weights to start from must fit, and a checkpoint that cannot be written costs nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from mmdet.registry import METRICS, MODELS
from mmengine.evaluator import BaseMetric

from ovdistill.core import files
from ovdistill.core.checkpoints import read_checkpoint, read_weights
from ovdistill.core.errors import UserError

from .toy import VALIDATION, ToyModel, run_toy, toy_config


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    for weights in ({"other": torch.ones(1)}, {}, {"first.weight": torch.ones(2, 2)}):
        torch.save({"state_dict": weights}, tmp_path / "other.pth")
        with pytest.raises(UserError, match=r"0 of the \d tensors of .*other\.pth"):
            run_toy(toy_config(tmp_path / "run", load_from=str(tmp_path / "other.pth")))


def test_the_share_that_must_fit(tmp_path: Path) -> None:
    run_toy(toy_config(tmp_path / "a"))
    part = read_weights(tmp_path / "a" / "last.pth")
    part = {"module.first.bias": part["first.bias"], "x": torch.ones(1), "y": torch.ones(1)}
    torch.save(part, tmp_path / "part.pth")
    options = dict(load_from=str(tmp_path / "part.pth"))
    with pytest.raises(UserError, match="1 of the 3"):
        run_toy(toy_config(tmp_path / "b", **options))
    run_toy(toy_config(tmp_path / "b", default_hooks__checkpoint__min_fitting=0.3, **options))


def test_initial_weights_of_a_part_must_fit_too(tmp_path: Path) -> None:
    torch.save({"other": torch.ones(1)}, tmp_path / "other.pth")
    init = dict(type="Pretrained", checkpoint=str(tmp_path / "other.pth"))
    with pytest.raises(UserError, match=r"none of the 1 tensors.*other\.pth"):
        run_toy(toy_config(tmp_path / "run", model__init_cfg=init))
    run_toy(toy_config(tmp_path / "a", train_cfg__max_iters=3))
    good = dict(type="Pretrained", checkpoint=str(tmp_path / "a" / "last.pth"))
    run_toy(toy_config(tmp_path / "run", model__init_cfg=good))


@MODELS.register_module()
class ToyModelWithTerm(ToyModel):
    """A toy with a term that counts steps and has other statistics too."""

    def __init__(self) -> None:
        super().__init__()
        term = torch.nn.Module()
        term.register_buffer("step", torch.tensor(0))
        term.register_buffer("seen", torch.tensor(0.0))
        self.distillers = torch.nn.ModuleList([term])

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        self.distillers[0].step += 1
        self.distillers[0].seen += 1
        return super().forward(*args, **kwargs)


@pytest.mark.parametrize(("resume", "steps", "seen"), [(False, 3, 6), (True, 6, 6)])
def test_a_new_training_counts_the_steps_of_terms_anew(
    tmp_path: Path, resume: bool, steps: int, seen: float
) -> None:
    options = dict(model__type="ToyModelWithTerm", train_cfg__max_iters=3)
    run_toy(toy_config(tmp_path / "a", **options))
    options |= dict(train_cfg__max_iters=6 if resume else 3)
    config = toy_config(tmp_path / "b", load_from=str(tmp_path / "a" / "last.pth"), **options)
    config.resume = resume
    term = run_toy(config).model.distillers[0]
    assert (int(term.step), float(term.seen)) == (steps, seen)


def test_a_full_disk_leaves_the_former_checkpoint(tmp_path: Path, monkeypatch: Any) -> None:
    run_toy(toy_config(tmp_path, train_cfg__max_iters=3))
    replace = files.os.replace

    def no_space(source: Any, target: Any) -> None:
        if str(target).endswith("iter_6.pth"):
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(files.os, "replace", no_space)
    config = toy_config(tmp_path)
    config.load_from, config.resume = str(tmp_path / "iter_3.pth"), True
    with pytest.raises(UserError, match=r"iter_6\.pth.*space"):
        run_toy(config)
    assert (tmp_path / "last_checkpoint").read_text().endswith("iter_3.pth")
    assert read_checkpoint(tmp_path / "last.pth")["meta"]["iter"] == 3
    assert not list(tmp_path.glob("*.tmp"))


@METRICS.register_module()
class Rising(BaseMetric):
    """A metric that is better at every validation, and another that is best at the first."""

    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results.append(0)

    def compute_metrics(self, results: list) -> dict[str, float]:
        self.calls = getattr(self, "calls", 0) + 1
        return {"up": self.calls, "down": -self.calls}


BEST = dict(
    VALIDATION,
    train_cfg__val_interval=2,
    val_evaluator=[dict(type="Rising")],
    default_hooks__checkpoint__interval=2,
    default_hooks__checkpoint__rule="greater",
)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("up", ["best_up_iter_6.pth"]),
        ("auto", ["best_up_iter_6.pth"]),
        (["up", "down"], ["best_down_iter_2.pth", "best_up_iter_6.pth"]),
    ],
)
def test_the_best_checkpoint(tmp_path: Path, keys: Any, expected: list[str]) -> None:
    options = dict(default_hooks__checkpoint__save_best=keys, **BEST)
    run_toy(toy_config(tmp_path, **options))
    assert sorted(path.name for path in tmp_path.glob("best_*")) == expected
    assert read_checkpoint(tmp_path / "last.pth")["meta"]["iter"] == 6


def test_a_full_disk_leaves_the_best_checkpoint(tmp_path: Path, monkeypatch: Any) -> None:
    replace = files.os.replace

    def no_space(source: Any, target: Any) -> None:
        if str(target).endswith("best_up_iter_4.pth"):
            raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(files.os, "replace", no_space)
    with pytest.raises(UserError, match=r"best_up_iter_4\.pth.*space"):
        run_toy(toy_config(tmp_path, default_hooks__checkpoint__save_best="up", **BEST))
    assert [path.name for path in tmp_path.glob("best_*")] == ["best_up_iter_2.pth"]


def test_commands_register_the_hooks_without_the_config() -> None:
    """A config of a user may replace the custom imports of its base."""
    code = (
        "import ovdistill.extraction.prepare; from mmdet.registry import HOOKS; "
        "assert HOOKS.get('SafeCheckpointHook') and HOOKS.get('StopOnNonFinite')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
