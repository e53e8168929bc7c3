"""The tool that sets objectives side by side: its rows and its table."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from benchmarks import teacher_objectives as tool
from ovdistill.teacher_training.registry import OBJECTIVES, build_objective


def test_every_objective_of_pairs_has_a_row_of_its_own() -> None:
    types = {type(build_objective(options)).__name__ for options in tool.OBJECTIVES.values()}
    shipped = {
        name for name, own in OBJECTIVES.items() if own.__module__.startswith("ovdistill.teacher_")
    }
    assert types == shipped and {*tool.OBJECTIVES} <= {*tool.ROWS}
    assert len(tool.ROWS) == len({*tool.ROWS})


def test_rows_without_names_have_no_zero_shot_accuracy(tmp_path: Path) -> None:
    for row, seeds in {"image_text": (0, 1), "masked_image": (0,)}.items():
        for seed in seeds:
            folder = tmp_path / row / f"seed{seed}"
            folder.mkdir(parents=True)
            figures = dict(base=40.0 + 2 * seed, novel=30.0, probe=50.0, minutes=1.0)
            (folder / "figures.json").write_text(json.dumps(figures))
    args = argparse.Namespace(out=tmp_path, rows=[*tool.ROWS], seeds=3)
    lines = tool.markdown(tool.collect(args)).splitlines()
    assert len(lines) == 4
    cells = [[cell.strip() for cell in line.split("|")] for line in lines]
    base, probe = cells[0].index("top-1 base"), cells[0].index("linear probe")
    assert [row[base] for row in cells[2:]] == ["41.0 ± 1.4", "–"]
    assert [row[probe] for row in cells[2:]] == ["50.0 ± 0.0", "50.0"]


def test_runs_of_other_settings_do_not_mix(tmp_path: Path) -> None:
    args = argparse.Namespace(out=tmp_path, steps=10, batch=8, images=20)
    tool.check_settings(args)
    tool.check_settings(args)
    args.steps = 20
    with pytest.raises(SystemExit, match="'steps': 10"):
        tool.check_settings(args)


def test_runs_of_another_machine_are_taken_over(tmp_path: Path) -> None:
    own = dict(base=40.0, probe=50.0, seed=1)
    known = dict(settings=dict(steps=10, batch=8, images=20), rows={"image_text": [own]})
    (tmp_path / "known.json").write_text(json.dumps(known))
    args = argparse.Namespace(
        out=tmp_path / "out", known=tmp_path / "known.json", steps=10, batch=8, images=20
    )
    tool.take_known(args)
    args.rows, args.seeds = ["image_text"], 2
    assert tool.collect(args) == {"image_text": [own]}
    args.steps = 20
    with pytest.raises(SystemExit, match="'steps': 10"):
        tool.take_known(args)
