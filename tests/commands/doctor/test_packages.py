"""Whether libraries import, and what to do about those that do not."""

from __future__ import annotations

import importlib.metadata

import pytest

from ovdistill.commands.doctor.finding import OK, PROBLEM
from ovdistill.commands.doctor.packages import check_package, check_python
from ovdistill.core.errors import UserError


def test_python() -> None:
    assert check_python().status == OK


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
    check = check_package(module)
    assert check.status == PROBLEM
    assert str(error) in check.detail and fix in check.fix


def test_upstream_beside_its_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda package: "2.2.0")
    assert check_package("numpy").status == OK
    check = check_package("mmengine")
    assert check.status == PROBLEM
    assert check.fix.startswith("pip uninstall -y onedl-mmengine mmengine mmengine-lite && ")
