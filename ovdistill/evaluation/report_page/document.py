"""The frame of a page: its head, a heading with links, and sections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ovdistill.core.assets import REPORT_SCRIPT, REPORT_STYLE
from ovdistill.visualization.page.markup import Content, Markup, tag

# no request may leave the page, whatever a class is called
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        key: its place in the address of the page.
        title: its heading.
        note: how to read it.
        content: what it shows.
    """

    key: str
    title: str
    note: str
    content: Content


def document(names: str, summary: str, warnings: Sequence[str], sections: Sequence[Section]) -> str:
    """Return a page as HTML that needs no other file.

    Args:
        names: of the runs, the heading.
        summary: what was tested.
        warnings: what makes runs incomparable, or was left out.
        sections: in order.
    """
    links = [tag("a", section.title, href=f"#{section.key}") for section in sections]
    warned = [tag("p", text, class_="warning") for text in warnings]
    header = tag("header", tag("h1", names), tag("p", summary, class_="note"), warned)
    script = tag("script", Markup(REPORT_SCRIPT.read_text(encoding="utf-8")))
    body = tag(
        "body", header, tag("nav", links), [_render(section) for section in sections], script
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{names} – test report"),
        tag("style", Markup(REPORT_STYLE.read_text(encoding="utf-8"))),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def chart_grid(charts: Sequence[Markup]) -> Markup:
    """Return charts in rows of three, or of two where that leaves no gap."""
    return tag("div", charts, class_="charts two" if len(charts) in (1, 2, 4) else "charts")


def _render(section: Section) -> Markup:
    heading = tag("h2", section.title)
    note = tag("p", section.note, class_="note")
    return tag("section", heading, note, section.content, id=section.key)
