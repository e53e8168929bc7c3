"""HTML is built so that no text becomes markup."""

from __future__ import annotations

import pytest

from ovdistill.visualization.page.markup import Markup, join, tag


def test_elements():
    assert tag("p", "a", 2, None, ["b", tag("i", "c")]) == "<p>a2b<i>c</i></p>"
    assert tag("td", "x", class_="a", data_value=1.5, hidden=None) == (
        '<td class="a" data-value="1.5">x</td>'
    )
    assert tag("input", disabled=True, name="n") == '<input disabled name="n"/>'
    assert tag("rect", tag("title", "t")) == "<rect><title>t</title></rect>"


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "a & b", '"quoted"', "'", "\x1b[31m"]
)
def test_text_stays_text(name):
    element = tag("td", name, title=name)
    assert "<script" not in element and "\x1b" not in element
    assert element.count("<") == 2 and element.count('"') == 2


def test_markup_is_not_escaped_twice():
    inner = tag("b", "<")
    assert isinstance(inner, Markup)
    assert join([inner, "<"]) == "<b>&lt;</b>&lt;"
