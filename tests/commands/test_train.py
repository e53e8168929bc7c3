"""`ovdistill train`: its options reach the config, and a training continues where it should."""

import os
from pathlib import Path

import pytest
import torch

from ovdistill.commands import main
from ovdistill.commands.train import TrainOptions, train, training_config
from ovdistill.core.assets import STUDENT
from ovdistill.core.errors import UserError
from ovdistill.core.recipes import recipe_folder

CONFIG = "vild_r18_shapes"


def config_of(*words: str):
    """The config that a command line trains."""
    _, options = main.parse(["train", CONFIG, *words])
    return training_config(options)


def test_defaults():
    config = config_of()
    assert config.work_dir == f"work_dirs/{CONFIG}"
    assert config.launcher == "none" and config.get("log_level", "INFO") == "INFO"
    assert dict(config.randomness) == dict(seed=0, deterministic=False)
    assert config.optim_wrapper.type == "OptimWrapper" and not config.get("resume")


def test_options_reach_the_config():
    config = config_of(
        "--work-dir", "runs", "--seed", "3", "--deterministic", "--amp", "--quiet",
        "--cfg-options", "train_cfg.max_iters=7",
    )  # fmt: skip
    assert (config.work_dir, config.train_cfg.max_iters) == ("runs", 7)
    assert dict(config.randomness) == dict(seed=3, deterministic=True)
    if torch.cuda.is_available():
        assert config.optim_wrapper.type == "AmpOptimWrapper"
        assert config.optim_wrapper.loss_scale == "dynamic"
    else:
        assert config.optim_wrapper.type == "FiniteBf16OptimWrapper"
    assert config.log_level == "WARNING"


def test_the_randomness_of_the_config_counts(tmp_path: Path):
    own = tmp_path / "own.py"
    base = recipe_folder() / f"{CONFIG}.py"
    own.write_text(f'_base_ = ["{base}"]\nrandomness = dict(seed=7, diff_rank_seed=True)\n')
    of_own = training_config(TrainOptions(config=str(own), deterministic=True))
    assert of_own.randomness == dict(seed=7, diff_rank_seed=True, deterministic=True)
    option = ["--cfg-options", "randomness.seed=1"]
    assert config_of(*option).randomness.seed == 1
    assert config_of("--seed", "0", *option).randomness.seed == 0


def test_the_config_has_a_level_of_its_own():
    level = ["--cfg-options", "log_level=ERROR"]
    assert config_of(*level).log_level == "ERROR"
    assert config_of(*level, "--log-level", "debug").log_level == "DEBUG"


def test_scaling_the_learning_rate_needs_a_batch_size():
    scaled = training_config(TrainOptions(config="vild_r50_coco", auto_scale_lr=True))
    assert scaled.auto_scale_lr.enable
    nothing = ["--cfg-options", "auto_scale_lr=None"]
    for words in ([], nothing, ["--cfg-options", "auto_scale_lr.enable=True"]):
        with pytest.raises(UserError, match="base_batch_size"):
            config_of("--auto-scale-lr", *words)


@pytest.mark.parametrize("words", [[], ["--auto-scale-lr"], ["--prepare-only"]])
def test_a_rate_for_another_batch_is_noticed_before_anything_is_made(
    words, tmp_path: Path, monkeypatch, caplog
):
    def stop(config):
        raise KeyboardInterrupt

    monkeypatch.setattr("ovdistill.extraction.prepare.prepare", stop)
    words = ["train", "rpn_r50_lvis", "--work-dir", str(tmp_path), *words]
    with pytest.raises(KeyboardInterrupt):
        train(main.parse(words)[1])
    assert ("--auto-scale-lr" in caplog.text) == (len(words) == 4)


@pytest.mark.parametrize("key", ["optim_wrapper", "train_dataloader"])
def test_a_training_without_a_part_of_it(key: str):
    with pytest.raises(UserError, match=key):
        config_of("--amp", "--cfg-options", f"{key}=None")


def test_a_config_that_trains_nothing():
    with pytest.raises(UserError, match="transfer_coco"):
        training_config(TrainOptions(config="transfer_coco"))


def test_resuming_a_missing_checkpoint(tmp_path: Path):
    with pytest.raises(UserError, match=r"none\.pth"):
        config_of("--work-dir", str(tmp_path), "--resume", str(tmp_path / "none.pth"))


def test_the_weights_to_start_from(tmp_path: Path):
    weights = tmp_path / "first.pth"
    weights.touch()
    assert config_of("--load-from", str(weights)).load_from == str(weights)
    assert config_of("--load-from", "ovshapes").load_from == str(STUDENT / "model.safetensors")
    assert config_of().load_from == "data/ovshapes/shape/proposals.pth"
    with pytest.raises(UserError, match=r"none\.pth"):
        config_of("--load-from", str(tmp_path / "none.pth"))


def test_bad_batches():
    assert config_of().default_hooks.non_finite.get("max_skipped", 0) == 0
    hook = config_of("--max-bad-batches", "5").default_hooks.non_finite
    for missing in ("default_hooks.non_finite", "default_hooks"):
        words = ["--max-bad-batches", "5", "--cfg-options", f"{missing}=None"]
        assert config_of(*words).default_hooks.non_finite == hook
    assert hook == dict(type="StopOnNonFinite", max_skipped=5)


def test_the_local_rank_of_a_launcher_counts(monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "5")
    TrainOptions(config=CONFIG, local_rank=1).set_local_rank()
    assert os.environ["LOCAL_RANK"] == "5"
    monkeypatch.delenv("LOCAL_RANK")
    TrainOptions(config=CONFIG, local_rank=1).set_local_rank()
    assert os.environ["LOCAL_RANK"] == "1"
