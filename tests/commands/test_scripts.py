"""`tools/` and `demo/`: every file takes the flags that it has always taken."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ovdistill.commands import main
from ovdistill.commands.summarize import KEYS

ROOT = Path(__file__).parents[2]
SCRIPTS = [*sorted((ROOT / "tools").glob("*.py")), ROOT / "demo" / "image_demo.py"]
RUNNER = "--launcher pytorch --local_rank 1 --offline --cfg-options a=1 b.c=2"
RUNNER_VALUES = dict(launcher="pytorch", local_rank=1, offline=True, cfg_options=("a=1", "b.c=2"))
# script: (a command line with every flag of version 0.1, what the command gets)
FLAGS: dict[str, tuple[str, dict[str, Any]]] = {
    "compare_methods": (
        "--benchmark shapes --split compositional --seeds 2 --rows text vild --data-root d "
        "--pictures val --jobs 3 --known k --report --cfg-options a=1 -o out",
        dict(split="compositional", seeds=2, rows=("text", "vild"), data_root="d", subset="val")
        | dict(jobs=3, known="k", report=True, cfg_options=("a=1",), out="out"),
    ),
    "make_shapes": (
        "--root r --seed 1 --train 2 --val 3 --test 4 --size 5 --workers 6 --force --preview p",
        dict(root="r", seed=1, train=2, val=3, test=4, size=5, workers=6, force=True, preview="p"),
    ),
    "prepare_coco": (
        "root --train t --val v --captions c --no-captions -o out --force",
        dict(data_root=Path("root"), train="t", val="v", captions="c", no_captions=True)
        | dict(out=Path("out"), force=True),
    ),
    "prepare_lvis": (
        "root --train t --val v --out out --force",
        dict(data_root=Path("root"), train="t", val="v", out=Path("out"), force=True),
    ),
    "prepare_voc": (
        "root --image-set trainval -o out",
        dict(root=Path("root"), image_set="trainval", out=Path("out")),
    ),
    "publish": (
        "config checkpoint -o out --half --cfg-options a=1",
        dict(config="config", checkpoint="checkpoint", out=Path("out"), half=True)
        | dict(cfg_options=("a=1",)),
    ),
    "summarize": ("a=b c=d --keys e f", dict(rows=("a=b", "c=d"), keys=("e", "f"))),
    "test": (
        f"config checkpoint -o out --vocabulary v --split val --teacher-on-crops --show 2 {RUNNER}",
        dict(config="config", checkpoint="checkpoint", out="out", vocabulary="v", subset="val")
        | dict(teacher_on_crops=True, show=2, **RUNNER_VALUES),
    ),
    "train": (
        "config --work-dir w --resume --auto-scale-lr --amp --seed 3 --deterministic "
        f"--prepare-only {RUNNER}",
        dict(config="config", work_dir="w", resume="auto", auto_scale_lr=True, amp=True, seed=3)
        | dict(deterministic=True, prepare_only=True, **RUNNER_VALUES),
    ),
    "image_demo": (
        "image --text t --background b --vocabulary v --config c --checkpoint k -o out "
        "--score-threshold 0.5 --max-dets 3 --device cpu --offline --cfg-options a=1",
        dict(
            images=("image",), text="t", background="b", vocabulary="v", config="c", checkpoint="k"
        )
        | dict(out="out", score_threshold=0.5, max_dets=3, device="cpu", offline=True)
        | dict(cfg_options=("a=1",)),
    ),
}
DEFAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "compare_methods": (
        "--out out",
        dict(benchmark="shapes", split="shape", seeds=3, rows=(), data_root="data/ovshapes")
        | dict(subset="test", jobs=1, known=None, report=False, cfg_options=()),
    ),
    "make_shapes": (
        "",
        dict(root="data/ovshapes", seed=0, train=2400, val=400, test=800, size=128, workers=2)
        | dict(force=False, preview=None),
    ),
    "prepare_coco": (
        "root",
        dict(train="annotations/instances_train2017.json", out=None, force=False)
        | dict(val="annotations/instances_val2017.json", no_captions=False)
        | dict(captions="annotations/captions_train2017.json"),
    ),
    "prepare_lvis": (
        "root",
        dict(train="annotations/lvis_v1_train.json", val="annotations/lvis_v1_val.json"),
    ),
    "prepare_voc": ("root --out out", dict(image_set="test")),
    "publish": ("a b --out out", dict(half=False, cfg_options=())),
    "summarize": ("a=b", dict(keys=KEYS)),
    "test": (
        "a b",
        dict(out=None, vocabulary=None, subset="test", teacher_on_crops=False, show=0)
        | dict(launcher="none", local_rank=0, offline=False, cfg_options=()),
    ),
    "train": (
        "a",
        dict(work_dir=None, resume=None, auto_scale_lr=False, amp=False, seed=None)
        | dict(deterministic=False, prepare_only=False, launcher="none", local_rank=0),
    ),
    "image_demo": (
        "",
        dict(images=(), text=None, background="auto", vocabulary=None, config=None, checkpoint=None)
        | dict(out="outputs", least_score=0.3, most_detections=100, device=None, offline=False),
    ),
}


def parsed(monkeypatch: pytest.MonkeyPatch, script: Path, words: list[str]) -> Any:
    """The options that a script reads from its command line; nothing is run."""
    found = []

    def run(argv: list[str]) -> None:
        found.append(main.parse(argv)[1])

    monkeypatch.setattr(main, "run", run)
    monkeypatch.setattr(sys, "argv", [str(script), *words])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(script), run_name="__main__")
    assert stopped.value.code == 0
    return found[0]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
@pytest.mark.parametrize("table", [FLAGS, DEFAULTS], ids=["flags", "defaults"])
def test_flags_and_defaults_stay(table, script, monkeypatch) -> None:
    line, expected = table[script.stem]
    options = parsed(monkeypatch, script, line.split())
    assert {name: getattr(options, name) for name in expected} == expected


@pytest.mark.parametrize("value", ["none", "pytorch", "slurm", "mpi"])
def test_the_launchers_of_mmdet(value, monkeypatch) -> None:
    options = parsed(monkeypatch, ROOT / "tools" / "train.py", ["a", "--launcher", value])
    assert options.launcher == value


def test_both_spellings_of_the_local_rank(monkeypatch) -> None:
    for spelling in (["--local_rank=3"], ["--local-rank", "3"]):
        options = parsed(monkeypatch, ROOT / "tools" / "test.py", ["a", "b", *spelling])
        assert options.local_rank == 3


def test_resume_with_and_without_a_checkpoint(monkeypatch) -> None:
    script = ROOT / "tools" / "train.py"
    assert parsed(monkeypatch, script, ["a", "--resume", "b.pth"]).resume == "b.pth"
    assert parsed(monkeypatch, script, ["a", "--resume"]).resume == "auto"


def test_a_script_runs_its_command_from_any_folder(tmp_path: Path) -> None:
    for script in (ROOT / "tools" / "train.py", ROOT / "demo" / "image_demo.py"):
        command = [sys.executable, str(script), "--help"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
        assert done.stdout.startswith("usage: ovdistill ")
