"""The command `ovdistill` and its doctor, on sound and on broken installations."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import subprocess
import sys
import types
from pathlib import Path

import pytest

from ovdistill import __version__, cli, doctor
from ovdistill.core.errors import UserError


def make(folder: Path, *files: str) -> Path:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    return folder


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> dict[str, Exception]:
    """Module names that raise this error when they are imported."""
    errors: dict[str, Exception] = {}
    original = importlib.import_module

    def import_module(name: str, package: str | None = None) -> types.ModuleType:
        if name in errors:
            raise errors[name]
        return original(name, package)

    monkeypatch.setattr(importlib, "import_module", import_module)
    return errors


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.run(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"ovdistill {__version__}\n"


@pytest.mark.parametrize("argv", [[], ["nothing"], ["doctor", "--nothing"]])
def test_unknown_words_exit_with_2(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.run(argv)
    assert stopped.value.code == 2


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.run(["--help"])
    printed = capsys.readouterr().out
    assert all(name in printed and text in printed for name, (_, text) in cli.COMMANDS.items())


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.run([name, "--help"])
    assert stopped.value.code == 0
    assert f"usage: ovdistill {name}" in capsys.readouterr().out


def test_bad_input_has_no_traceback() -> None:
    command = [
        sys.executable,
        "-m",
        "ovdistill.commands.main",
        "doctor",
        "--data",
        "no/such/folder",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "error: --data no/such/folder: no such folder; make it: mkdir -p no/such/folder\n"
    )


def test_doctor_imports_nothing_heavy() -> None:
    code = "import sys, ovdistill.commands.main, ovdistill.commands.doctor; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_doctor_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.run(["doctor", "--json", "--data", str(tmp_path)])
    printed = json.loads(capsys.readouterr().out)
    checks = {check["name"]: check for check in printed["checks"]}
    broken = [check for check in checks.values() if check["status"] == "problem"]
    assert printed["healthy"] == (not broken) == (code == 0)
    assert [check["name"] for check in broken if check["name"] in doctor.PACKAGES] == []
    assert checks["nms, roi_align"]["status"] == "ok"
    assert checks["data, lvis"]["status"] == "note"  # missing data is no problem
    assert all(check["fix"] for check in checks.values() if check["status"] != "ok")


@pytest.mark.parametrize(
    ("statuses", "code"), [((doctor.OK, doctor.NOTE), 0), ((doctor.OK, doctor.PROBLEM), 1)]
)
def test_doctor_shows_the_fix(
    statuses: tuple[str, ...],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fix = "pip install " + "a-long-command " * 10  # longer than the table is wide
    found = [doctor.Check(f"check {s}", s, "detail", "" if s == "ok" else fix) for s in statuses]
    monkeypatch.setattr(doctor, "examine", lambda data: found)
    assert cli.run(["doctor"]) == code
    printed = capsys.readouterr().out
    assert fix in printed
    assert ("Nothing is broken." in printed) == (code == 0)


def test_missing_torch_is_a_finding(
    broken: dict[str, Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    missing = ModuleNotFoundError("No module named 'torch'", name="torch")
    broken |= {
        name: missing
        for name in (
            "torch",
            "torchvision",
            "mmcv",
            "mmdet",
            "open_clip",
            "ovdistill.core.mmcv_ops",
        )
    }
    checks = {check.name: check for check in doctor.examine(Path("nowhere"))}
    for name in ("torch", "mmdet", "nms, roi_align"):
        assert checks[name].status == doctor.PROBLEM
    assert checks["torch"].fix == checks["mmdet"].fix == "pip install torch"
    assert checks["devices"].status == doctor.NOTE
    doctor.show(list(checks.values()))
    assert "pip install torch" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("module", "error", "fix"),
    [
        (
            "cv2",
            ImportError("libGL.so.1: cannot open shared object file"),
            "opencv-python-headless",
        ),
        (
            "mmcv",
            ImportError("libGL.so.1: cannot open shared object file"),
            "apt-get install libgl1",
        ),
        ("torchvision", RuntimeError("operator torchvision::nms does not exist"), "torchvision"),
        ("mmdet", AssertionError("MMCV==2.2.0 is used but incompatible"), "onedl-mmdetection"),
        ("mmdet", ModuleNotFoundError("shapely", name="shapely.geometry"), "pip install shapely"),
        ("mmdet", UserError("mmcv does not import"), "fix mmcv first"),
        ("hotcoco", OSError("bad ELF"), "pip install --force-reinstall --no-deps hotcoco"),
    ],
)
def test_an_import_that_fails(
    module: str, error: Exception, fix: str, broken: dict[str, Exception]
) -> None:
    broken[module] = error
    check = doctor.check_package(module)
    assert check.status == doctor.PROBLEM
    assert str(error) in check.detail and fix in check.fix


def test_upstream_beside_its_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda package: "2.2.0")
    assert doctor.check_package("numpy").status == doctor.OK
    check = doctor.check_package("mmengine")
    assert check.status == doctor.PROBLEM
    assert check.fix.startswith("pip uninstall -y onedl-mmengine mmengine mmengine-lite && ")


def test_wrong_operations_are_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    from ovdistill.core import mmcv_ops

    mmcv_ops.install()
    import mmcv.ops
    import torch

    monkeypatch.setattr(
        mmcv.ops, "nms", lambda boxes, scores, threshold: (boxes, torch.tensor([0, 1]))
    )
    check = doctor.check_operations()
    assert check.status == doctor.PROBLEM and "expected [0]" in check.detail


def test_teachers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.check_shipped_teacher(tmp_path).status == doctor.PROBLEM
    make(tmp_path, "open_clip_config.json", "open_clip_model.safetensors")
    assert doctor.check_shipped_teacher(tmp_path).status == doctor.OK

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    check = doctor.check_cached_teachers(tmp_path)
    assert check.status == doctor.NOTE and "HF_HUB_OFFLINE" in check.detail
    repository = tmp_path / "models--timm--clip.openai" / "snapshots" / "abc"
    repository.mkdir(parents=True)
    (repository / "open_clip_model.safetensors").symlink_to("unfinished")
    assert doctor.check_cached_teachers(tmp_path).status == doctor.NOTE
    make(repository, "unfinished")
    check = doctor.check_cached_teachers(tmp_path)
    assert check.status == doctor.OK and check.detail.startswith("timm/clip.openai")


def test_datasets(tmp_path: Path) -> None:
    check = doctor.check_dataset("lvis", tmp_path)
    assert check.detail == f"no folder {tmp_path}/lvis"
    assert check.fix.startswith(f"mkdir -p {tmp_path}/lvis && cd {tmp_path}/lvis && wget")
    make(tmp_path, "lvis/annotations/lvis_v1_train.json", "lvis/annotations/lvis_v1_val.json")
    check = doctor.check_dataset("lvis", tmp_path)
    assert check.status == doctor.NOTE
    assert check.detail == f"{tmp_path}/lvis has no train2017, val2017"
    make(tmp_path, "lvis/train2017/1.jpg", "lvis/val2017/1.jpg")
    assert doctor.check_dataset("lvis", tmp_path) == doctor.Check(
        "data, lvis", doctor.OK, f"{tmp_path}/lvis"
    )
