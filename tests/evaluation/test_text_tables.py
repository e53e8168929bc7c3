"""Tables of text hold names as they are, and are whole on a narrow terminal."""

from ovdistill.evaluation.text_tables import TextTable

TABLE = TextTable("What was found", ["class", "objects"], [["a|b", "7"], ["[red]\x1b[0m", "1"]])


def test_markdown():
    assert TABLE.markdown().splitlines() == [
        "## What was found",
        "",
        "| class | objects |",
        "| --- | ---: |",
        "| a\\|b | 7 |",
        "| \\[red\\]\\\\x1b\\[0m | 1 |",
    ]


def test_shown_as_text(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "9")
    TABLE.show()
    printed = capsys.readouterr().out
    assert "[red]\\x1b[0m" in printed and "objects" in printed and "What was found" in printed
