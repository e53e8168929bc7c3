"""Installations that are broken."""

from __future__ import annotations

import importlib
import types

import pytest


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
