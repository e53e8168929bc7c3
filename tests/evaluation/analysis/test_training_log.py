"""The curves of a training, also of one that was resumed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ovdistill.evaluation.analysis.training_log import read_training_curves


def write_log(folder: Path, name: str, losses: dict[int, float], ap: dict[int, float]) -> None:
    lines = [{"loss": loss, "step": step} for step, loss in losses.items()]
    lines += [{"bbox/AP": value, "step": step} for step, value in ap.items()]
    path = folder / name / "vis_data" / "scalars.json"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(map(json.dumps, lines)))


@pytest.fixture
def folder(tmp_path) -> Path:
    write_log(tmp_path, "20260101_000000", {50: 5.0, 100: 4.0, 150: 3.9}, {100: 10.0, 150: 11.0})
    return tmp_path


def test_a_resumed_training_is_one_curve(folder):
    """What the first start did after the checkpoint from which the second went on is not in it."""
    write_log(folder, "20260102_000000", {150: 3.0, 200: 2.0}, {200: 20.0})
    write_log(folder, "20260103_000000", {}, {})  # was started, and ended before its first step
    curves = read_training_curves([folder])
    assert curves is not None and "20260102" in curves.path
    assert curves.losses == {"loss": [(50, 5.0), (100, 4.0), (150, 3.0), (200, 2.0)]}
    assert curves.ap == {"bbox/AP": [(100, 10.0), (200, 20.0)]}


def test_a_training_that_began_anew_has_nothing_of_the_one_before(folder):
    write_log(folder, "20260102_000000", {50: 6.0}, {})
    curves = read_training_curves([folder])
    assert curves is not None and (curves.losses, curves.ap) == ({"loss": [(50, 6.0)]}, {})


def test_the_last_folder_with_a_training(folder):
    other = folder / "other"
    write_log(other, "20250101_000000", {10: 1.0}, {})
    for folders in ([folder, other], [folder, other, folder / "none"]):
        curves = read_training_curves(folders)
        assert curves is not None and curves.losses == {"loss": [(10, 1.0)]}
    assert read_training_curves([folder / "none"]) is None
