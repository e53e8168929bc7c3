"""Which optional parts are installed."""

from __future__ import annotations

import importlib.metadata
import sys

import pytest

from ovdistill.commands.doctor import extras
from ovdistill.commands.doctor.finding import NOTE, OK

FOR_DEVELOPERS = {"dev", "docs", "test"}
REQUIRES = [
    "numpy",
    'gradio<7,>=6.10; extra == "app"',
    'onnxruntime>=1.20; extra == "onnx"',
    'onnx>=1.18; extra == "export"',
    'ovdistill[onnx]; extra == "export"',
]


@pytest.fixture
def versions(monkeypatch) -> dict[str, str]:
    found: dict[str, str] = {}

    def version(name: str) -> str:
        if name not in found:
            raise importlib.metadata.PackageNotFoundError(name)
        return found[name]

    monkeypatch.setattr(importlib.metadata, "requires", lambda name: REQUIRES)
    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(extras, "EXTRAS", {"app": "pages", "export": "files", "onnx": "runs"})
    return found


def test_every_extra_for_users_is_known() -> None:
    named = set(importlib.metadata.metadata("ovdistill").get_all("Provides-Extra") or ())
    assert named - FOR_DEVELOPERS == extras.EXTRAS.keys()


def test_all_are_there(versions) -> None:
    versions |= {"gradio": "6.12", "onnxruntime": "1.30", "onnx": "1.20"}
    found = extras.check_extras()
    assert (found.status, found.detail, found.fix) == (OK, "installed: app, export, onnx", "")


def test_missing_ones_say_what_they_are_for_and_what_installs_them(versions) -> None:
    versions |= {"gradio": "5.4", "onnx": "1.20"}
    found = extras.check_extras()
    assert found.status == NOTE
    assert found.detail == (
        "installed: none. Not: app, pages (gradio 5.4, wants <7,>=6.10); "
        "export, files (no onnxruntime); onnx, runs (no onnxruntime)"
    )
    assert found.fix.startswith("pip install 'ovdistill[app,export,onnx]'")


def test_sources_that_were_never_installed(monkeypatch) -> None:
    def requires(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", requires)
    assert "not installed" in extras.check_extras().detail


def test_a_doctor_without_packaging(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "packaging.requirements", None)
    assert extras.check_extras().fix == "pip install packaging"
