"""The learning rate and the number of images in a step."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovdistill.core.errors import UserError
from ovdistill.core.recipes import recipe_names
from ovdistill.models.config import load_config
from ovdistill.training import learning_rate
from ovdistill.training.learning_rate import images_per_step, processes_of_rate, warn_of_rate
from ovdistill.training.runner import TrainingRunner

from .toy import toy_config

RECIPE = "rpn_r50_lvis"  # batches of 2, and a rate for 16 images


def test_a_rate_for_another_number_of_images_is_said_with_both_numbers(caplog):
    warn_of_rate(load_config(RECIPE))
    assert "steps of 16 images" in caplog.text and "these have 2 " in caplog.text
    assert "--auto-scale-lr" in caplog.text


@pytest.mark.parametrize(
    "options",
    [
        {"optim_wrapper.accumulative_counts": 8},
        {"train_dataloader.batch_size": 16},
        {"auto_scale_lr.enable": True},
        {"auto_scale_lr": None},
    ],
)
def test_a_rate_that_fits_or_is_scaled_is_no_warning(options, caplog):
    warn_of_rate(load_config(RECIPE, options))
    assert not caplog.text


def test_processes_count(monkeypatch, caplog):
    monkeypatch.setattr(learning_rate, "get_world_size", lambda: 8)
    config = load_config(RECIPE)
    warn_of_rate(config)
    assert not caplog.text and images_per_step(config) == 16
    assert processes_of_rate(config) == 8


@pytest.mark.parametrize("more", [{}, {"auto_scale_lr": None}, {"optim_wrapper": None}])
def test_a_config_that_cannot_train_is_for_one_process(more):
    config = load_config(RECIPE, {"train_dataloader": None, "train_cfg": None, **more})
    assert processes_of_rate(config) == 1
    assert processes_of_rate(load_config(RECIPE, {"optim_wrapper": None})) == 8


def test_recipes_of_ovshapes_do_not_warn(caplog):
    names = [name for name in recipe_names() if name.endswith("_shapes")]
    for name in (name for name in names if name != "teacher_shapes"):
        config = load_config(name)
        warn_of_rate(config)
        assert processes_of_rate(config) == 1
    assert len(names) > 20 and not caplog.text


def test_a_number_that_cannot_be_is_an_error():
    with pytest.raises(UserError, match=r"auto_scale_lr\.base_batch_size"):
        warn_of_rate(load_config(RECIPE, {"auto_scale_lr.base_batch_size": 0}))


@pytest.mark.parametrize(("enable", "rate"), [(True, 0.01 * 6 / 16), (False, 0.01)])
def test_the_rate_is_scaled_by_all_images_of_a_step(tmp_path: Path, enable, rate):
    config = toy_config(tmp_path, optim_wrapper__accumulative_counts=3)
    config.auto_scale_lr = dict(enable=enable, base_batch_size=16)
    runner = TrainingRunner.from_cfg(config)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.scale_lr(runner.optim_wrapper, runner.auto_scale_lr)
    assert runner.optim_wrapper.get_lr()["lr"] == pytest.approx([rate])
