"""The commands that the pages show: README, those beside it, docs/ and the methods'."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "ovdistill").rglob("*.md")),
]
FENCED = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
OTHER_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
# an indented block: its lines, and blank ones between
INDENTED = re.compile(r"(?<=\n\n)(?: {4}.*\n|\n(?= {4}))+")
PROGRAMS = r"(?:[A-Z]+=\S+ )*(?:ovdistill|torchrun|srun|python) "


@dataclass(frozen=True)
class Documented:
    """A command of a page.

    Attributes:
        page: the page's path in the repository.
        text: the command as a user would type it, on one line and without its comment.
        output: the lines that the page shows below it.
    """

    page: str
    text: str
    output: tuple[str, ...] = ()


def documented() -> list[Documented]:
    """Return every command, in the order of the pages."""
    found = []
    for path in PAGES:
        name = str(path.relative_to(ROOT))
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        for block in FENCED.findall(text):
            found += [Documented(name, line) for line in map(plain, block.splitlines()) if line]
        for block in INDENTED.findall(OTHER_FENCED.sub("", text)):
            found += in_session(name, block.splitlines())
    return found


def in_session(page: str, lines: list[str]) -> Iterator[Documented]:
    """Yield the commands of an indented block, with their output where "$" marks the commands."""
    lines = [line[4:] for line in lines]
    starts = [i for i, line in enumerate(lines) if re.match(rf"\$ |{PROGRAMS}", line)]
    for start, end in zip(starts, [*starts, len(lines)][1:], strict=True):
        shown = lines[start + 1 : end] if lines[start].startswith("$ ") else []
        text = plain(lines[start].removeprefix("$ "))
        yield Documented(page, text, tuple(line for line in shown if line.strip()))


def plain(line: str) -> str:
    """Return a line without its comment, and with single spaces."""
    return " ".join(re.sub(r"(?:^|\s)#(?:\s.*|$)", "", line).split())
