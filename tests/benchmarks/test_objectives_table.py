"""The tool that sets objectives side by side: its rows and its table."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
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
    assert [row[base] for row in cells[2:]] == ["41.0 ± 1.4", "-"]
    assert [row[probe] for row in cells[2:]] == ["50.0 ± 0.0", "50.0"]


SETTINGS = dict(steps=300, batch=128, images=4000)
RECORDED = Path(__file__).parents[2] / "docs/results/objectives/objectives.json"


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> None:
    monkeypatch.setattr("sys.argv", ["teacher_objectives.py", *map(str, words)])
    tool.main()


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (SETTINGS, ["--steps", 400]),
        (SETTINGS, ["--steps", 300, "--student-options", "a=1"]),
        (SETTINGS | dict(student_options=["a=1"]), ["--steps", 300]),
        (SETTINGS, ["--steps", 300, "--known", "known.json"]),
        (SETTINGS, ["--report", "--known", "known.json"]),
    ],
)
def test_runs_of_other_settings_do_not_mix(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, there: tool.Settings, words: Sequence[object]
) -> None:
    monkeypatch.chdir(tmp_path)
    other = dict(settings=SETTINGS | dict(steps=1000), rows={"image_text": [dict(seed=0)]})
    Path("known.json").write_text(json.dumps(other))
    Path("out").mkdir()
    Path("out/settings.json").write_text(json.dumps(there))
    with pytest.raises(SystemExit, match="got settings .* of the runs in out"):
        run(monkeypatch, "-o", "out", *words)
    assert [path.name for path in Path("out").iterdir()] == ["settings.json"]


def test_a_report_has_the_settings_of_its_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known = json.loads(RECORDED.read_text())
    for words in (["--known", RECORDED], []):
        run(monkeypatch, "-o", tmp_path / "out", "--report", *words)
        content = json.loads((tmp_path / "out/objectives.json").read_text())
        assert content["settings"] == SETTINGS
        assert content["rows"] == known["rows"]
    with pytest.raises(SystemExit, match="or --known, to report"):
        run(monkeypatch, "-o", tmp_path / "none", "--report")


def test_recorded_runs_are_taken_over_by_their_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["", "-o", "none", "--steps", "300", "--known", str(RECORDED)]
    monkeypatch.setattr("sys.argv", words)
    assert tool.agreed_settings(tool.parse()) == SETTINGS


def test_minutes_are_of_all_starts(tmp_path: Path) -> None:
    records = [dict(step=2, seconds=30.0), dict(step=2, zero_shot=0.5), dict(step=5, seconds=60.0)]
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert tool.minutes_of_training(log) == 4
