"""Names of unknown origin are shown as text."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovdistill.core.text import printable


@pytest.mark.parametrize("name", ["cat", "chat noir", "猫", "Ärger", "C:\\a.jpg", "[red]", "a|b"])
def test_ordinary_names_stay_as_they_are(name: str) -> None:
    assert printable(name) == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\nb", "a\\nb"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31m", "\\x9b31m"),  # the escape code of a single character
        ("a\x00\x7f", "a\\x00\\x7f"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("a\u200bb\u2066c\u2028d\ufeff", "a\\u200bb\\u2066c\\u2028d\\ufeff"),
        ("\udce9.jpg", "\\udce9.jpg"),  # a byte of a file name that is no UTF-8
    ],
)
def test_what_acts_or_hides_is_an_escape(name: str, shown: str) -> None:
    assert printable(name) == shown
    assert printable(shown) == shown
    shown.encode()


def test_paths_and_kept_characters() -> None:
    assert printable(Path("a\rb")) == "a\\rb"
    assert printable("one\ntwo\r", keep="\n") == "one\ntwo\\r"
