"""What is written as Markdown shows texts as they are."""

from __future__ import annotations

from ovdistill.core.markdown import markdown_cell, markdown_table


def test_a_cell_holds_no_markup() -> None:
    assert markdown_cell("a|b`c\n<i>") == "a\\|b\\`c\\\\n\\<i\\>"
    assert markdown_cell("traffic light") == "traffic light"


def test_a_table() -> None:
    assert markdown_table(["a|b", "AP"], [["<x>", "7 ± 1"]]) == (
        "| a\\|b | AP |\n| --- | ---: |\n| \\<x\\> | 7 ± 1 |"
    )
    assert markdown_table(["a", "b", "c"], [], "crl") == "| a | b | c |\n| :---: | ---: | --- |"
