"""The loop: what it writes, that it goes on where it ended, and that bad numbers end it."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ovdistill.core.distributed import patient_group
from ovdistill.core.errors import DivergedError, UserError
from ovdistill.teacher import OpenCLIPTeacher
from ovdistill.teacher_training.batch import TrainingBatch
from ovdistill.teacher_training.config import TeacherTraining
from ovdistill.teacher_training.data.source import Pair
from ovdistill.teacher_training.gradients import batch_norms
from ovdistill.teacher_training.loop import TeacherTrainer
from ovdistill.teacher_training.optimizer import MAX_LOGIT_SCALE, rate_factor
from ovdistill.teacher_training.run import run_training
from ovdistill.teacher_training.zero_shot import HeldOut

from ..distillation.ranks import run_on_ranks
from . import tiny

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    tiny.write_pairs(folder)
    return folder


def weights(folder: Path) -> dict[str, Tensor]:
    return OpenCLIPTeacher(str(folder)).model.state_dict()


def test_a_training_writes_a_teacher_with_its_origin(pairs, tmp_path) -> None:
    config = tiny.config(pairs)
    config["held_out"] = dict(config["data"][0], label_column="label")
    config["objectives"].append(dict(type="ImageTextLabelContrastive", weight=0.5))
    run_training(config, tmp_path / "out", CPU)
    teacher = OpenCLIPTeacher(str(tmp_path / "out"))
    assert teacher.name == "tiny" and teacher.embed_dim == 8
    origin = json.loads((tmp_path / "out" / "provenance.json").read_text())
    assert origin["training"]["training"]["steps"] == 4 and origin["teacher"] == "tiny"
    assert 0 <= origin["figures"]["zero_shot"] <= 1
    records = [json.loads(line) for line in (tmp_path / "out" / "log.jsonl").open()]
    steps = [record["step"] for record in records if "rate" in record]
    assert steps == [1, 2, 3, 4] and "loss_image_text_label" in records[1]
    assert [r["step"] for r in records if "zero_shot" in r] == [0, 2, 4]
    kept = sorted(path.name for path in (tmp_path / "out" / "checkpoints").iterdir())
    assert kept == ["step_00000002", "step_00000004"]


class Killed(Exception):
    """The end of a process, at any place."""


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("killed_at", [3, 4])
def test_a_killed_run_goes_on_to_the_same_weights(
    pairs, tmp_path, monkeypatch, killed_at: int, workers: int
) -> None:
    config = tiny.config(pairs, steps=5, workers=workers, part=4)
    config["augmentation"] = dict(area=(0.3, 1.0), flip=0.5)
    run_training(config, tmp_path / "whole", CPU)
    make_step = TeacherTrainer.make_step

    def dies(self: TeacherTrainer, *arguments: Any) -> None:
        if self.step == killed_at:
            raise Killed
        make_step(self, *arguments)

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(TeacherTrainer, "make_step", dies)
        run_training(config, tmp_path / "killed", CPU)
    assert not (tmp_path / "killed" / "open_clip_model.safetensors").exists()
    run_training(config, tmp_path / "killed", CPU, resume=True)
    whole, killed = weights(tmp_path / "whole"), weights(tmp_path / "killed")
    assert all(torch.equal(value, killed[name]) for name, value in whole.items())
    lines = [json.loads(line)["step"] for line in (tmp_path / "killed" / "log.jsonl").open()]
    assert lines == [1, 2, 3, 4, 5]


def test_a_run_goes_on_with_the_state_of_the_optimizer(pairs, tmp_path) -> None:
    """Without it the weights would differ: the test above could not fail otherwise."""
    trainers = [_trainer(pairs, tmp_path) for _ in range(3)]
    batch = tiny.batch(trainers[0].towers)
    for _ in range(2):
        trainers[0].make_step(batch)
    trainers[0]._save()
    assert trainers[1].resume() and trainers[1].step == 2
    trainers[2].trained.load_state_dict(trainers[0].trained.state_dict())
    trainers[2].step = 2
    for trainer in trainers:
        trainer.make_step(batch)
    states = [trainer.trained.state_dict() for trainer in trainers]
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())
    assert not all(torch.equal(value, states[2][name]) for name, value in states[0].items())


def test_a_run_goes_on_with_the_decay_of_its_config(pairs, tmp_path) -> None:
    before = _trainer(pairs, tmp_path)
    before.make_step(tiny.batch(before.towers))
    before._save()
    after = _trainer(pairs, tmp_path, weight_decay=0.5, betas=(0.8, 0.9))
    assert after.resume()
    groups = after.optimizer.param_groups
    assert [(g["weight_decay"], g["betas"]) for g in groups] == [(0.5, (0.8, 0.9)), (0, (0.8, 0.9))]


@pytest.mark.parametrize("resume", [False, True])
def test_a_teacher_is_not_overwritten(pairs, tmp_path, resume: bool) -> None:
    run_training(tiny.config(pairs, steps=1), tmp_path, CPU)
    shutil.rmtree(tmp_path / "checkpoints")
    before = _content(tmp_path)
    with pytest.raises(UserError, match="a teacher is there already"):
        run_training(tiny.config(pairs, steps=2), tmp_path, CPU, resume=resume)
    assert _content(tmp_path) == before


def test_held_out_images_are_measured_before_the_first_step(pairs, tmp_path) -> None:
    """What is wrong with them ends a run before it has cost anything."""
    table = (pairs / "pairs.csv").read_text().replace(",red\n", ",\n", 1)
    (pairs / "held_out.csv").write_text(table)
    config = tiny.config(pairs)
    config["held_out"] = dict(config["data"][0], file=str(pairs / "held_out.csv"))
    config["held_out"]["label_column"] = "label"
    with pytest.raises(UserError, match="pair 1 of held_out has no class"):
        run_training(config, tmp_path, CPU)
    table = (pairs / "pairs.csv").read_text().replace(",red\n", ",Red\n", 1)
    (pairs / "held_out.csv").write_text(table)
    with pytest.raises(UserError, match="'red' and 'Red' of held_out.* are one class"):
        run_training(config, tmp_path, CPU)


def test_the_list_of_bad_images_is_of_this_training(pairs, tmp_path) -> None:
    (pairs / "gone.csv").write_text((pairs / "pairs.csv").read_text() + "none.png,a cat,cat\n")
    config = tiny.config(pairs, steps=7, max_bad_images=1)
    config["data"][0]["file"] = str(pairs / "gone.csv")
    run_training(config, tmp_path / "first", CPU)
    assert "none.png" in (tmp_path / "first" / "bad_images.txt").read_text()
    second = tiny.config(pairs, steps=1)
    second["model"] = dict(model=str(tmp_path / "first"))
    run_training(second, tmp_path / "second", CPU)
    assert not (tmp_path / "second" / "bad_images.txt").exists()


def _content(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.iterdir() if path.is_file() and path.suffix != ".lock"]
    return {path.name: path.read_bytes() for path in files}


def _trainer(pairs: Path, folder: Path, **training: Any) -> TeacherTrainer:
    return TeacherTrainer(TeacherTraining.build(tiny.config(pairs, **training)), folder, CPU)


def test_another_config_is_said_or_refused(pairs, tmp_path, caplog) -> None:
    config = tiny.config(pairs, steps=2)
    run_training(config, tmp_path / "out", CPU)
    with pytest.raises(UserError, match="--resume"):
        run_training(config, tmp_path / "out", CPU)
    run_training(tiny.config(pairs, steps=3), tmp_path / "out", CPU, resume=True)
    assert "steps is 3, and was 2" in caplog.text
    caplog.clear()
    run_training(tiny.config(pairs, steps=3, log_every=2), tmp_path / "out", CPU, resume=True)
    assert not [record for record in caplog.records if record.levelname == "WARNING"]
    augmented = tiny.config(pairs, steps=3)
    augmented["augmentation"] = dict(flip=0.5)
    run_training(augmented, tmp_path / "out", CPU, resume=True)
    assert "augmentation is {'flip': 0.5}, and was None" in caplog.text
    with pytest.raises(UserError, match="of step 3, and training.steps is 2"):
        run_training(config, tmp_path / "out", CPU, resume=True)
    other = tiny.config(pairs, steps=4)
    other["model"]["model"]["embed_dim"] = 4
    with pytest.raises(UserError, match="not a checkpoint of this config"):
        run_training(other, tmp_path / "out", CPU, resume=True)


def test_a_gradient_that_is_not_finite_leaves_the_weights(pairs, tmp_path) -> None:
    trainer = _trainer(pairs, tmp_path)
    before = {name: value.clone() for name, value in trainer.trained.state_dict().items()}
    batch = tiny.batch(trainer.towers)
    batch.images[0, 0, 0, 0] = float("nan")
    with pytest.raises(DivergedError, match="step 1"):
        trainer.make_step(batch)
    after = trainer.trained.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_only_matrices_decay_and_the_scale_has_a_limit(pairs, tmp_path) -> None:
    trainer = _trainer(pairs, tmp_path, learning_rate=1.0)
    decayed, others = trainer.optimizer.param_groups
    assert decayed["weight_decay"] > 0 and {p.ndim for p in decayed["params"]} >= {2, 4}
    assert others["weight_decay"] == 0 and {p.ndim for p in others["params"]} == {0, 1}
    with torch.no_grad():
        trainer.towers.model.logit_scale.fill_(9.0)
    trainer.make_step(tiny.batch(trainer.towers))
    assert trainer.towers.model.logit_scale.item() <= MAX_LOGIT_SCALE + 1e-6


def test_the_rate_rises_then_falls_to_nothing() -> None:
    factors = [rate_factor(step, 10, 2) for step in range(11)]
    assert factors[:3] == [0.5, 1.0, 1.0] and factors[6] == pytest.approx(0.5)
    assert factors[2:] == sorted(factors[2:], reverse=True) and factors[10] == pytest.approx(0)
    assert rate_factor(0, 4, 60) == 0.5  # at most a quarter is warm-up, and one more step


def _two_steps(pairs: Path, folder: Path, rank: int) -> None:
    trainer = _trainer(pairs, folder, batch=4)
    batches = trainer.training.data.batches(trainer.plan(), 0)
    for _ in range(2):
        trainer.make_step(next(batches))
    torch.save(trainer.trained.state_dict(), folder / f"{rank}.pth")


def _run(pairs: Path, folder: Path, rank: int) -> None:
    config = tiny.config(pairs, batch=4, steps=2, checkpoint_every=1)
    config["held_out"] = dict(config["data"][0], label_column="label")
    for resume in (False, True):  # the second time at its end
        run_training(config, folder, CPU, resume=resume)


def test_two_processes_wait_for_what_is_measured(pairs, tmp_path) -> None:
    run_on_ranks(partial(_run, pairs, tmp_path))
    records = [json.loads(line) for line in (tmp_path / "log.jsonl").open()]
    assert [r["step"] for r in records if "zero_shot" in r] == [0, 1, 2, 2]
    assert "zero_shot" in json.loads((tmp_path / "provenance.json").read_text())["figures"]


def _measure(pairs: Path, rank: int) -> dict[str, Any]:
    held_out = _held_out(pairs)
    towers, group = tiny.towers(tiny.RESNET), patient_group()
    for norm in batch_norms(towers):
        norm.running_mean.fill_(rank)
    loaded = _note_rows(held_out)
    found = held_out.accuracy(towers, group=group)
    table = (pairs / "pairs.csv").read_text().replace("green\n", "\n", 1)
    (pairs / f"{rank}.csv").write_text(table)
    with pytest.raises(UserError) as raised:  # of rank 1: pair 2 is of its share
        _held_out(pairs, f"{rank}.csv").accuracy(towers, group=group)
    means = {float(norm.running_mean.max()) for norm in batch_norms(towers)}
    return dict(accuracy=found, rows=loaded, means=means, error=str(raised.value))


def _held_out(pairs: Path, table: str = "pairs.csv") -> HeldOut:
    options = dict(tiny.config(pairs)["data"][0], file=str(pairs / table), label_column="label")
    return HeldOut(options)


def _note_rows(held_out: HeldOut) -> list[int]:
    """Return a list of the rows that this process loads from now on."""
    rows, load = [], held_out.source.load

    def noted(row: int, rng: np.random.Generator) -> Pair:
        rows.append(row)
        return load(row, rng)

    held_out.source.load = noted
    return rows


def test_each_process_measures_a_share_and_none_waits_for_ever(pairs) -> None:
    first, second = run_on_ranks(partial(_measure, pairs))
    assert first["rows"] == [*range(0, 24, 2)] and second["rows"] == [*range(1, 24, 2)]
    expected = _held_out(pairs).accuracy(tiny.towers(tiny.RESNET))
    assert first["accuracy"] == second["accuracy"] == expected
    assert first["means"] == second["means"] == {0.0}
    assert "1 of the other processes" in first["error"]
    assert "pair 2 of held_out has no class" in second["error"]


def test_workers_load_what_is_held_out(pairs) -> None:
    held_out, towers = _held_out(pairs), tiny.towers()
    rows, before = _note_rows(held_out), torch.get_rng_state()
    assert held_out.accuracy(towers, workers=2) == _held_out(pairs).accuracy(towers)
    assert rows == [] and torch.equal(before, torch.get_rng_state())


def test_two_processes_train_as_one_with_twice_the_batch(pairs, tmp_path) -> None:
    trainer = _trainer(pairs, tmp_path)
    batches = trainer.training.data.batches(trainer.plan(), 0)
    for _ in range(2):
        trainer.make_step(next(batches))
    run_on_ranks(partial(_two_steps, pairs, tmp_path))
    first, second = (torch.load(tmp_path / f"{rank}.pth") for rank in (0, 1))
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    # embeddings, not weights: Adam makes steps of noise too, as in the bias of keys
    batch = tiny.batch(trainer.towers)
    expected = _embeddings(trainer, batch)
    trainer.trained.load_state_dict(first)
    torch.testing.assert_close(_embeddings(trainer, batch), expected, atol=1e-5, rtol=0)


def _embeddings(trainer: TeacherTrainer, batch: TrainingBatch) -> Tensor:
    with torch.no_grad():
        images = trainer.towers.encode_images(batch.images)
        return torch.cat([images, trainer.towers.encode_texts(batch.tokens)])
