"""Lines of text: their fonts, widths and what is drawn."""

from __future__ import annotations

import logging
import math

import numpy as np
import pytest
from PIL import Image

from ovdistill.visualization import fonts
from ovdistill.visualization.fonts import Line, draw_line, fit, lay_out, wrap

from .font_maker import write_font

needs_raqm = pytest.mark.skipif(not fonts.HAS_RAQM, reason="this Pillow has no raqm")


def drawn(line: Line) -> np.ndarray:
    """Where a line has ink, (h, w) bool: 10 pixels around its own place."""
    size = math.ceil(line.width) + 20, line.height + 20
    image = Image.new("RGB", size, (255, 255, 255))
    draw_line(image, 10, 10 + line.ascent, line, (0, 0, 0))
    return np.asarray(image).min(axis=-1) < 128


def font_names(line: Line) -> list[str]:
    return [run.face.font.getname()[0] for run in line.runs]


@pytest.mark.parametrize("text", ["zebra", "œuvre", "красный круг", "ζέβρα", "حصان أحمر", "סוס"])
def test_dejavu_sans_draws_every_script_that_it_has(font_folder, text):
    line = lay_out(text, 20)
    assert line.text == text
    assert font_names(line) == ["DejaVu Sans"]
    ink = drawn(line)
    rows, columns = np.nonzero(ink)
    # the ink lies where the line was measured
    assert columns.min() >= 9 and columns.max() <= 11 + line.width
    assert rows.min() >= 9 and rows.max() <= 11 + line.height


def test_a_character_of_another_font_has_a_run_of_its_own(font_folder):
    write_font(font_folder / "cjk.ttf", "中文")
    line = lay_out("a 中文 b", 20)
    assert [run.text for run in line.runs] == ["a ", "中文", " b"]
    assert font_names(line) == ["DejaVu Sans", "cjk", "DejaVu Sans"]
    assert line.runs[1].width == pytest.approx(40)
    assert line.width == pytest.approx(sum(run.width for run in line.runs))
    left = round(10 + line.runs[0].width)
    assert drawn(line)[:, left + 2 : left + 38].any(axis=0).mean() > 0.7  # two squares


def test_a_character_without_a_font_is_its_code_point_and_is_reported_once(font_folder, caplog):
    with caplog.at_level(logging.WARNING):
        assert lay_out("中 cat", 15).text == "[U+4E2D] cat"
        assert lay_out("中 dog", 15).text == "[U+4E2D] dog"
        assert lay_out("🦓", 15).text == "[U+1F993]"
    assert len(caplog.records) == 2
    assert "U+4E2D" in caplog.messages[0] and "U+4E2D" not in caplog.messages[1]


def test_marks_are_composed_and_control_characters_are_text(font_folder):
    assert lay_out("e\u0301", 15).text == "é"
    assert lay_out("a\n\x1b\u202eb", 15).text == r"a\n\x1b\u202eb"
    assert lay_out("", 15).width == 0


@needs_raqm
def test_words_from_the_right_are_joined_and_keep_their_order(font_folder):
    apart = sum(lay_out(character, 20).width for character in "حصان")
    assert lay_out("حصان", 20).width < apart
    write_font(font_folder / "ugaritic.ttf", "\U00010380\U00010381 ", width=1000)
    assert len(lay_out("\U00010380 \U00010381", 20).runs) == 1


def test_without_raqm_invisible_joiners_are_left_out(font_folder, monkeypatch):
    monkeypatch.setattr(fonts, "HAS_RAQM", False)
    monkeypatch.setattr(fonts, "DIRECTION", None)
    assert lay_out("❤\ufe0f a\u200cb", 15).text == "❤ ab"


def test_a_long_name_is_cut_and_keeps_its_tail(font_folder):
    line = fit("x" * 100_000, " 0.95", 15, 200)
    assert line.text.startswith("xxx") and line.text.endswith("x... 0.95")
    assert 190 < line.width <= 200
    assert fit("zebra", " 0.95", 15, 200).text == "zebra 0.95"
    assert fit("zebra", " 0.95", 15, 1).text == "... 0.95"
    assert len(fit("x" * 100_000, "", 15, math.inf).text) < 300


def test_a_score_stands_on_the_right_of_any_name(font_folder):
    line = fit("حصان", " 0.95", 15, 400)
    assert [run.text for run in line.runs] == ["حصان", " 0.95"]


def test_a_text_is_broken_at_spaces(font_folder):
    lines = wrap("one two three four", 15, lay_out("three four", 15).width)
    assert [line.text for line in lines] == ["one two", "three four"]
    assert wrap("", 15, 100) == []


def test_tall_scripts_have_higher_lines(font_folder):
    assert lay_out("zebra", 20).height == lay_out("Ж", 20).height == lay_out("", 20).height
    assert lay_out("Z\u030c\u030c\u030c\u030c", 20).height > lay_out("Z", 20).height


def test_a_font_of_bitmaps_is_drawn_in_any_size(font_folder, monkeypatch):
    write_font(font_folder / "emoji.ttf", "🦓")
    load = fonts.ImageFont.truetype

    def load_one_size(path, size):
        if size != 109 and path.name == "emoji.ttf":
            raise OSError("invalid pixel size")
        return load(path, size)

    monkeypatch.setattr(fonts.ImageFont, "truetype", load_one_size)
    line = lay_out("🦓", 20)
    assert line.width == pytest.approx(20, abs=0.5)
    rows, columns = np.nonzero(drawn(line))
    assert 12 <= np.ptp(rows) + 1 <= 16 and 12 <= np.ptp(columns) + 1 <= 16  # 0.7 of 20
