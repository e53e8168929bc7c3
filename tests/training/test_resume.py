"""A run that was interrupted and resumed is the run that was not interrupted, bit by bit."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from ovdistill.core.checkpoints import read_checkpoint, read_weights
from ovdistill.core.errors import UserError
from ovdistill.training.run import resume_from

from .toy import VALIDATION, log_of, run_toy, toy_config


def resumed(work_dir: Path, **options: Any) -> dict[str, torch.Tensor]:
    """The weights of three iterations, and three more in another process's state."""
    run_toy(toy_config(work_dir, train_cfg__max_iters=3, **options))
    torch.manual_seed(12345)  # what a new process would not have
    config = toy_config(work_dir, **options)
    resume_from(config, "auto")
    runner = run_toy(config)
    assert runner.iter == 6
    return read_weights(work_dir / "iter_6.pth")


OTHER_RUN = "not the run that it would have been"
ASPECTS = dict(train_dataloader__batch_sampler=dict(type="AspectRatioBatchSampler"))


@pytest.mark.parametrize(
    "options",
    [
        {},
        dict(train_dataloader__num_workers=2),
        ASPECTS,
        dict(optim_wrapper__accumulative_counts=3),  # as many as between two checkpoints
    ],
)
def test_the_same_weights(tmp_path: Path, options: dict[str, Any]) -> None:
    run_toy(toy_config(tmp_path / "whole", **options))
    whole = read_weights(tmp_path / "whole" / "iter_6.pth")
    parts = resumed(tmp_path / "parts", **options)
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    assert OTHER_RUN not in log_of(tmp_path / "parts")
    assert "going on with the settings" not in log_of(tmp_path / "parts")


@pytest.mark.parametrize("workers", [0, 2])
def test_a_training_that_counts_epochs(tmp_path: Path, workers: int) -> None:
    """Two epochs of ten images in batches of two, interrupted after the first."""
    options: dict[str, Any] = dict(
        train_dataloader__num_workers=workers,
        train_dataloader__persistent_workers=workers > 0,
        train_dataloader__sampler__type="DefaultSampler",
        default_hooks__sampler_seed=dict(type="DistSamplerSeedHook"),
        default_hooks__checkpoint__by_epoch=True,
        default_hooks__checkpoint__interval=1,
    )

    def config_of(name: str, epochs: int) -> Config:
        config = toy_config(tmp_path / name, **options)
        config.train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=epochs)
        return config

    run_toy(config_of("whole", 2))
    whole = read_weights(tmp_path / "whole" / "epoch_2.pth")
    run_toy(config_of("parts", 1))
    torch.manual_seed(12345)
    config = config_of("parts", 2)
    resume_from(config, "auto")
    assert run_toy(config).iter == 10
    parts = read_weights(tmp_path / "parts" / "epoch_2.pth")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_workers_do_not_change_the_images(tmp_path: Path) -> None:
    found = []
    for workers in (1, 2):
        run_toy(toy_config(tmp_path / f"{workers}", train_dataloader__num_workers=workers))
        found.append(read_weights(tmp_path / f"{workers}" / "iter_6.pth"))
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_the_checkpoint_is_plain_data_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    run_toy(toy_config(tmp_path))
    plain = torch.load(tmp_path / "iter_6.pth", weights_only=True)  # without any stand-in
    assert plain.keys() == read_checkpoint(tmp_path / "iter_6.pth").keys()
    assert {"state_dict", "optimizer", "param_schedulers", "message_hub", "generators"} <= {*plain}
    assert plain["meta"]["iter"] == 6 and len(plain["generators"]) == 1


def test_log_buffers_go_on(tmp_path: Path) -> None:
    run_toy(toy_config(tmp_path, train_cfg__max_iters=3))
    config = toy_config(tmp_path)
    resume_from(config, "auto")
    runner = run_toy(config)
    assert len(runner.message_hub.get_scalar("train/loss").data[0]) == 6


def test_only_the_newest_are_kept_and_last_names_one_from_the_start(tmp_path: Path) -> None:
    run_toy(toy_config(tmp_path, default_hooks__checkpoint__interval=2))
    assert sorted(p.name for p in tmp_path.glob("*.pth")) == ["iter_6.pth", "last.pth"]
    assert os.readlink(tmp_path / "last.pth") == "iter_6.pth"  # the folder may be moved
    assert not list(tmp_path.glob("*.tmp"))


def test_a_checkpoint_without_states_goes_on_and_says_so(tmp_path: Path) -> None:
    run_toy(toy_config(tmp_path, train_cfg__max_iters=3))
    content = read_checkpoint(tmp_path / "iter_3.pth")
    del content["generators"]
    torch.save(content, tmp_path / "iter_3.pth")
    config = toy_config(tmp_path)
    resume_from(config, "auto")
    assert run_toy(config).iter == 6
    assert "generators of 0 ranks, this run has 1: the run goes on" in log_of(tmp_path)
    assert OTHER_RUN in log_of(tmp_path)


def test_a_sampler_that_cannot_be_entered_is_said(tmp_path: Path) -> None:
    resumed(tmp_path, train_dataloader__sampler=dict(type="DefaultSampler", shuffle=False))
    assert "the images' sampler cannot be entered" in log_of(tmp_path)


def test_a_checkpoint_of_another_network(tmp_path: Path) -> None:
    run_toy(toy_config(tmp_path, train_cfg__max_iters=3))
    config = toy_config(tmp_path, model__width=5)
    resume_from(config, "auto")
    with pytest.raises(UserError, match=r"4 of 4 tensors|3 of 4 tensors"):
        run_toy(config)


def test_the_seed_of_the_checkpoint_counts(tmp_path: Path) -> None:
    run_toy(toy_config(tmp_path / "whole", randomness__seed=3))
    run_toy(toy_config(tmp_path / "parts", randomness__seed=3, train_cfg__max_iters=3))
    config = toy_config(tmp_path / "parts", randomness__seed=0)
    resume_from(config, "auto")
    run_toy(config)
    a, b = (read_weights(tmp_path / name / "iter_6.pth") for name in ("whole", "parts"))
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_settings_that_a_resumed_run_does_not_take_are_said(tmp_path: Path) -> None:
    run_toy(toy_config(tmp_path / "parts", train_cfg__max_iters=3))
    config = toy_config(
        tmp_path / "parts",
        optim_wrapper__optimizer__lr=0.02,
        optim_wrapper__optimizer__weight_decay=0.5,
        param_scheduler=[dict(type="LinearLR", start_factor=0.1, by_epoch=False, end=4)],
    )
    resume_from(config, "auto")
    run_toy(config)
    log = log_of(tmp_path / "parts")
    for text in ("lr 0.01, not 0.02", "weight_decay 0.01, not 0.5", "0.end 6, not 4"):
        assert text in log
    run_toy(toy_config(tmp_path / "whole"))
    whole, parts = (read_weights(tmp_path / name / "iter_6.pth") for name in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_settings_of_groups_of_parameters(tmp_path: Path) -> None:
    """Which have a rate of their own each; only that of one is changed."""
    keys: dict[str, Any] = dict(first=dict(lr_mult=0.5))
    group: dict[str, Any] = dict(
        optim_wrapper__paramwise_cfg=dict(custom_keys=keys),
        default_hooks__checkpoint__max_keep_ckpts=2,
    )
    run_toy(toy_config(tmp_path, train_cfg__max_iters=3, **group))
    for multiple, said in ((0.5, False), (0.25, True)):
        keys["first"]["lr_mult"] = multiple
        config = toy_config(tmp_path, **group)
        resume_from(config, str(tmp_path / "iter_3.pth"))
        run_toy(config)
        assert ("lr (0.005, 0.01), not (0.0025, 0.01)" in log_of(tmp_path)) == said
        assert ("going on with the settings" in log_of(tmp_path)) == said


def test_weights_alone_cannot_be_resumed_from(tmp_path: Path) -> None:
    run_toy(toy_config(tmp_path, train_cfg__max_iters=3))
    weights = read_weights(tmp_path / "iter_3.pth")
    torch.save({"state_dict": weights}, tmp_path / "weights.pth")
    config = toy_config(tmp_path)
    resume_from(config, str(tmp_path / "weights.pth"))
    with pytest.raises(UserError, match=r"weights\.pth.*--load-from"):
        run_toy(config)


def test_the_config_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    run_toy(toy_config(tmp_path, train_cfg__max_iters=3))
    content = read_checkpoint(tmp_path / "iter_3.pth")
    content["meta"]["config"] = f"open({str(tmp_path / 'ran')!r}, 'w')"  # mmengine would run it
    torch.save(content, tmp_path / "iter_3.pth")
    config = toy_config(tmp_path)
    resume_from(config, "auto")
    run_toy(config)
    assert not (tmp_path / "ran").exists()


def test_validation_does_not_change_the_weights(tmp_path: Path) -> None:
    run_toy(toy_config(tmp_path / "a"))
    config = toy_config(tmp_path / "b", train_cfg__val_interval=1, **VALIDATION)
    config.val_evaluator[0].out_file_path = str(tmp_path / "none.pkl")
    run_toy(config)
    a, b = (read_weights(tmp_path / name / "iter_6.pth") for name in "ab")
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_what_to_resume_from(tmp_path: Path) -> None:
    config = toy_config(tmp_path)
    resume_from(config, "auto")  # there is nothing yet: the training begins
    assert not config.get("resume")
    torch.save({"state_dict": {}, "meta": {"seed": 5}}, tmp_path / "iter_4.pth")
    (tmp_path / "last_checkpoint").write_text("/elsewhere/iter_4.pth")
    for named in ("auto", str(tmp_path / "iter_4.pth")):
        config.load_from, config.resume = None, False
        resume_from(config, named)
        assert (config.load_from, config.resume) == (str(tmp_path / "iter_4.pth"), True)
        assert config.randomness.seed == 5  # else other images would be drawn
    (tmp_path / "iter_6.pth").write_bytes(b"torn")
    with pytest.raises(UserError, match=r"iter_6\.pth.*iter_4\.pth"):
        resume_from(config, str(tmp_path / "iter_6.pth"))
    (tmp_path / "last_checkpoint").write_text("iter_9.pth")
    for named in ("auto", str(tmp_path / "iter_9.pth")):
        with pytest.raises(UserError, match=r"iter_9\.pth.*iter_4\.pth"):
            resume_from(config, named)


def test_a_checkpoint_that_mmengine_wrote(tmp_path: Path) -> None:
    """As of earlier versions: its log buffers are objects, which are not read."""
    config = toy_config(tmp_path, train_cfg__max_iters=3)
    config.default_hooks.checkpoint = dict(type="CheckpointHook", by_epoch=False, interval=3)
    config.default_hooks.pop("non_finite")
    Runner.from_cfg(config).train()
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / "iter_3.pth", weights_only=True)
    config = toy_config(tmp_path)
    resume_from(config, "auto")
    assert run_toy(config).iter == 6
