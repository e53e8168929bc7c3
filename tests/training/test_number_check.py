"""Lengths and limits of a training that cannot be are found before anything is made."""

from __future__ import annotations

import pytest

from ovdistill.core.errors import UserError
from ovdistill.core.recipes import recipe_names
from ovdistill.models.config import load_config
from ovdistill.training.number_check import check_numbers


@pytest.mark.parametrize("name", recipe_names())
def test_shipped_recipes_have_none(name: str) -> None:
    check_numbers(load_config(name))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("train_cfg.max_iters", 0),
        ("train_cfg.max_iters", 1e3),
        ("train_cfg.val_interval", 0),
        ("train_cfg.val_interval", "often"),
        ("train_dataloader.batch_size", True),
        ("optim_wrapper.accumulative_counts", -1),
        ("optim_wrapper.clip_grad.max_norm", "x"),
        ("optim_wrapper.clip_grad.max_norm", float("nan")),
    ],
)
def test_what_is_refused(key: str, value: object) -> None:
    with pytest.raises(UserError, match=rf"vild_r18_shapes\.py, {key}: got {value!r}"):
        check_numbers(load_config("vild_r18_shapes", {key: value}))


def test_all_are_one_error_and_none_is_none() -> None:
    options = {"train_cfg.val_interval": 0, "train_cfg.max_iters": -2}
    with pytest.raises(UserError) as error:
        check_numbers(load_config("vild_r18_shapes", options))
    assert "max_iters: got -2" in str(error.value)
    assert "val_interval: got 0" in str(error.value) and "switches" in str(error.value)
    check_numbers(load_config("vild_r18_shapes", {"optim_wrapper.clip_grad": None}))
