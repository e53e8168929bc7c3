"""Which font file has a character."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ovdistill.core.errors import UserError
from ovdistill.visualization import font_files
from ovdistill.visualization.font_files import find_font, has

from .font_maker import write_font


def found(characters: str) -> str | None:
    path = find_font(frozenset(characters))
    return path and path.name


def test_the_first_font_that_has_all_characters_is_taken(font_folder):
    write_font(font_folder / "b.ttf", "中文")
    (font_folder / "deeper").mkdir()
    write_font(font_folder / "deeper" / "NotoSansCJK-Regular.ttf", "中")
    assert found("a") == found("Ж") == found("œع") == "DejaVuSans.ttf"
    assert found("中") == "NotoSansCJK-Regular.ttf"  # known for many characters, so tried first
    assert found("中文") == "b.ttf"
    assert found("中Ж") is None
    assert has(font_folder / "b.ttf", "文中") and not has(font_folder / "b.ttf", "a")


def test_fonts_that_draw_nothing_useful_are_passed_over(font_folder):
    (font_folder / "damaged.ttf").write_bytes(b"\0\1\0\0" + b"\xff" * 50)
    (font_folder / "empty.ttf").touch()
    for name in ("LastResort.ttf", "Some-Bold.ttf", "notes.txt"):
        write_font(font_folder / name, "中")
    assert found("中") is None


def test_a_machine_without_any_font_is_an_error(font_folder, monkeypatch):
    monkeypatch.setattr(font_files, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="matplotlib"):
        found("a")


def test_folders_are_those_of_the_platform(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert font_files.font_folders()[0] == tmp_path / "fonts"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "Library" in font_files.font_folders()[0].parts


def test_drawing_ascii_imports_no_matplotlib_and_reads_no_font_file():
    code = (
        "import sys; from ovdistill.visualization.fonts import lay_out; lay_out('zebra 0.9', 15);"
        "print(*({'matplotlib', 'fontTools'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
