"""Fonts for tests: those of the machine, which differ, are hidden."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovdistill.visualization import font_files, fonts


@pytest.fixture
def font_folder(tmp_path, monkeypatch) -> Path:
    """The only folder of system fonts, empty; matplotlib's font is there as ever."""
    monkeypatch.setattr(font_files, "font_folders", lambda: [tmp_path])
    monkeypatch.setattr(fonts, "_reported", set())
    caches = (font_files.font_files, font_files.find_font, fonts.lay_out)
    for cache in caches:
        cache.cache_clear()
    yield tmp_path
    for cache in caches:
        cache.cache_clear()
