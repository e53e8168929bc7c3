"""The Python examples of README.md and docs/ run as they stand.

A block is left out if another test runs its page word for word, or if the line before it is the
comment ``<!-- not run: REASON -->``. What the pages show of the shell is in tests/docs.
"""

import re
import runpy
from pathlib import Path

import pytest

from ovdistill.ovshapes.generate import make_ovshapes

ROOT = Path(__file__).parents[1]
TESTED_ELSEWHERE = {"detections.md", "own_student.md", "own_teacher.md", "own_term.md"}


PAGES = [
    *ROOT.glob("*.md"),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "ovdistill").rglob("*.md")),
]


def examples():
    """Every block to run, named by its page and its first line."""
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        text = path.read_text()
        for found in re.finditer(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            before = text[: found.start()].rstrip()
            left_out = before.rpartition("\n")[2].startswith("<!-- not run:")
            if path.name not in TESTED_ELSEWHERE and not left_out:
                line = before.count("\n") + 1
                yield pytest.param(found[1], id=f"{path.relative_to(ROOT)}:{line}")


@pytest.mark.parametrize("code", [*examples()])
def test_example_runs(code, tmp_path, monkeypatch):
    for entry in ROOT.iterdir():  # what an example writes stays out of the checkout
        if entry.name != "data":
            (tmp_path / entry.name).symlink_to(entry)
    if "data/ovshapes" in code:
        make_ovshapes(tmp_path / "data" / "ovshapes", train=1, val=1, test=2, workers=1)
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "example"}
    exec(compile(code, "example", "exec"), names)
    if "found" in names:  # an example that detects something finds all that it asks for
        assert set(names["found"].names) == set(names["found"].queries)


def test_readme_is_short_and_leads_with_the_two_commands():
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 130
    first = text.partition("```bash\n")[2].splitlines()[:2]
    assert [line.split("#")[0].strip() for line in first] == ["make quickstart", "make test"]


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"


def test_the_drawing_of_the_rooms_has_those_of_the_import_contract():
    script = runpy.run_path(str(ROOT / "docs" / "make_architecture.py"))
    rooms = {room for layer in script["read_layers"]() for room in layer}
    folders = {path.parent.name for path in (ROOT / "ovdistill").glob("*/__init__.py")}
    assert rooms == folders == set(script["ROOMS"])
