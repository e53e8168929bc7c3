"""Folders that cannot be listed, also by root, whom permissions do not stop."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest


def lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no folder be listed that is called "locked"."""
    original = os.scandir

    def scandir(path: Any) -> Any:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return original(path)

    monkeypatch.setattr(os, "scandir", scandir)
