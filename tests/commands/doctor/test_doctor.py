"""`ovdistill doctor`, on sound and on broken installations."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from ovdistill.commands import main
from ovdistill.commands.doctor import doctor as command
from ovdistill.commands.doctor import packages
from ovdistill.commands.doctor.finding import NOTE, OK, PROBLEM, Check


def test_doctor_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main.run(["doctor", "--json", "--data", str(tmp_path)])
    printed = json.loads(capsys.readouterr().out)
    checks = {check["name"]: check for check in printed["checks"]}
    broken = [check for check in checks.values() if check["status"] == "problem"]
    assert printed["healthy"] == (not broken) == (code == 0)
    assert [check["name"] for check in broken if check["name"] in packages.PACKAGES] == []
    assert checks["nms, roi_align"]["status"] == "ok"
    assert checks["data, lvis"]["status"] == "note"  # missing data is no problem
    assert all(check["fix"] for check in checks.values() if check["status"] != "ok")


@pytest.mark.parametrize(("statuses", "code"), [((OK, NOTE), 0), ((OK, PROBLEM), 1)])
def test_doctor_shows_the_fix(
    statuses: tuple[str, ...],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fix = "pip install " + "a-long-command " * 10  # longer than the table is wide
    found = [Check(f"check {s}", s, "detail", "" if s == "ok" else fix) for s in statuses]
    monkeypatch.setattr(command, "examine", lambda data: found)
    assert main.run(["doctor"]) == code
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
    checks = {check.name: check for check in command.examine(Path("nowhere"))}
    for name in ("torch", "mmdet", "nms, roi_align"):
        assert checks[name].status == PROBLEM
    assert checks["torch"].fix == checks["mmdet"].fix == "pip install torch"
    assert checks["devices"].status == NOTE
    command.print_findings(list(checks.values()))
    assert "pip install torch" in capsys.readouterr().out


def test_findings_are_printed_without_rich(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    command.print_findings([Check("rich", PROBLEM, "does not import", "pip install rich")])
    printed = capsys.readouterr().out
    assert "problem  rich: does not import" in printed and "pip install rich" in printed
