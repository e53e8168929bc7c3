"""Where a text may be divided."""

from __future__ import annotations

import pytest

from ovdistill.visualization.clusters import clusters


@pytest.mark.parametrize(
    "text, parts",
    [
        ("", []),
        ("ab", ["a", "b"]),
        ("a\u0323b", ["a\u0323", "b"]),  # a mark below
        ("น้ำ", ["น้", "ำ"]),
        ("👩\u200d🚀x", ["👩\u200d🚀", "x"]),  # joined emoji
        ("👍\U0001f3fd!", ["👍\U0001f3fd", "!"]),  # a skin tone
        ("❤\ufe0f", ["❤\ufe0f"]),
        ("\u0301", ["\u0301"]),  # a mark of nothing
    ],
)
def test_what_belongs_together_stays_together(text, parts):
    assert clusters(text) == parts
