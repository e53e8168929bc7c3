"""Downloads are forbidden by any of the variables, and nothing heavy is imported to tell."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ovdistill.core.offline import OFFLINE_VARIABLES, go_offline, is_offline

CODE = """
import sys
from ovdistill.core.offline import is_offline
print(is_offline(), *sys.modules)
"""


@pytest.fixture(autouse=True)
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OFFLINE_VARIABLES:
        monkeypatch.setenv(name, "")


@pytest.mark.parametrize("name", OFFLINE_VARIABLES)
@pytest.mark.parametrize(
    ("value", "offline"),
    [("1", True), ("true", True), ("YES", True), ("on", True), ("0", False), ("", False)],
)
def test_variables(name: str, value: str, offline: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    assert is_offline() is offline


def test_going_offline_is_inherited() -> None:
    assert not is_offline()
    go_offline()  # the fixture restores the environment
    assert is_offline()
    printed = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, check=True
    ).stdout.split()
    assert printed[0] == "True"
    assert not {"torch", "numpy", "huggingface_hub"} & set(printed)
