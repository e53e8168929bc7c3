"""Figures in README, docs and recipes are those of the recorded runs in docs/results."""

import json
import re
from pathlib import Path

import pytest

from benchmarks.segmentation import table as segmentation_table
from benchmarks.teacher_objectives import markdown as objectives_table
from ovdistill.evaluation.comparison import markdown
from ovdistill.evaluation.comparison_rows import ROWS

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs" / "results"
SECTION = re.compile(r"^##+ Split `(\w+)`, geometry `(\w+)`$", re.MULTILINE)
RESULT = re.compile(r"Result \(split (\w+), geometry (\w+), test images, three seeds\):(.*)", re.S)


def recorded(split, geometry, folder=RESULTS):
    return json.loads((folder / split / geometry / "comparison.json").read_text())["rows"]


def table_rows(text):
    """Return the rows of the first table of methods in a text, each by the names of columns."""
    lines = iter(text.splitlines())
    header = next(line for line in lines if line.startswith("| method |"))
    names = [cell.strip() for cell in header.strip("|").split("|")]
    next(lines)
    for line in lines:
        if not line.startswith("|"):
            return
        yield dict(zip(names, (cell.strip() for cell in line.strip("|").split("|")), strict=True))


def test_the_table_of_the_readme():
    text = (ROOT / "README.md").read_text().split("## Results")[1]
    split, geometry = re.search(r"docs/results/(\w+)/(\w+)/comparison.json", text).groups()
    check_table(text, split, geometry)


def test_the_tables_of_the_results():
    text = (RESULTS / "README.md").read_text()
    text, ablation = text.split("## The parts of Vouch")
    ablation, mark, rest = ablation.partition("\n## ")
    check_sections(text + mark + rest)
    check_sections(ablation, RESULTS / "ablation")


def check_sections(text, folder=RESULTS):
    _, *parts = SECTION.split(text)
    sections = list(zip(parts[::3], parts[1::3], parts[2::3], strict=True))
    assert len(sections) > 1
    for split, geometry, section in sections:
        check_table(section, split, geometry, folder)


def check_table(text, split, geometry, folder=RESULTS):
    found = recorded(split, geometry, folder)
    known = {row["method"]: row for row in table_rows(markdown(found))}
    shown = list(table_rows(text))
    assert len(shown) > 2
    for row in shown:
        assert row.items() <= known[row["method"]].items()


@pytest.mark.parametrize(
    ("split", "term", "count"),
    [("shape", "vouch", 9), ("compositional", "vouch", 9), ("shape", "region_queue", 2)],
)
def test_the_parts_of_vouch_in_their_own_pages(split, term, count):
    rows = table_rows(markdown(recorded(split, "clip", RESULTS / "ablation")))
    cells = [f"{row['box AP novel']} | {row['box AP base']} |" for row in rows]
    text = (ROOT / "ovdistill" / "distillation" / term / "README.md").read_text()
    assert sum(cell in text for cell in cells) == count


@pytest.mark.parametrize(("split", "count"), [("shape", 8), ("compositional", 5)])
def test_the_table_of_region_word_alignment(split, count):
    rows = table_rows(markdown(recorded(split, "clip", RESULTS / "region_word")))
    cells = [f"{row['box AP novel']} | {row['box AP base']} |" for row in rows]
    text = (ROOT / "ovdistill" / "distillation" / "region_word" / "README.md").read_text()
    assert len(cells) == count
    assert all(cell in text for cell in cells)


@pytest.mark.parametrize("name", ["token", "focal"])
def test_the_results_that_recipes_of_region_word_alignment_name(name):
    found = recorded("shape", "clip", RESULTS / "region_word")
    summary = next(row["summary"] for row in found if row["name"] == name)
    box, mask = (
        ["{mean:.1f}".format(**summary[f"{kind}/AP_{group}"]) for group in ("base", "novel")]
        for kind in ("bbox", "segm")
    )
    page = (ROOT / "configs" / f"{name}_r18_shapes.py").read_text()
    assert f"box AP base {box[0]}, novel {box[1]}; mask AP {mask[0]}, {mask[1]}." in page


@pytest.mark.parametrize("row", [row for row in ROWS if not row.options and not row.trained_as])
def test_the_results_that_a_recipe_names(row):
    docstring = (ROOT / "configs" / f"{row.config}.py").read_text().split('"""')[1]
    if not (found := RESULT.search(docstring)):
        pytest.skip("names no result of three seeds")
    split, geometry, text = found.groups()
    summary = next(r for r in recorded(split, geometry) if r["name"] == row.name)["summary"]
    for kind, line in (("bbox", "box AP"), ("segm", "mask AP")):
        if summary[f"{kind}/AP_base"] is None:
            assert line not in text
            continue
        base, novel = (
            "{mean:.1f} +- {std:.1f}".format(**summary[f"{kind}/AP_{group}"])
            for group in ("base", "novel")
        )
        expected = f"{line} base {base}, novel {novel}"
        assert expected in text or f"{line} {base}, {novel}" in text


def test_the_table_of_segmentation():
    rows = json.loads((RESULTS / "segmentation" / "segmentation.json").read_text())["rows"]
    assert segmentation_table(rows).strip() in (ROOT / "docs" / "segmentation.md").read_text()


def test_the_table_of_objectives():
    rows = json.loads((RESULTS / "objectives" / "objectives.json").read_text())["rows"]
    assert objectives_table(rows).strip() in (ROOT / "docs" / "teacher_objectives.md").read_text()


def test_the_survey_has_the_figures_of_the_recorded_rows():
    found = {row["name"]: row["summary"] for row in recorded("shape", "clip")}
    figures = {}
    for row in ROWS:
        if not row.options and not row.trained_as:
            figures[f"`ovdistill train {row.config}`"] = found[row.name]
    figures["`ovdistill train vild_text_r18_shapes`"] = found["text"]
    figures["--teacher-on-crops`"] = found["text_crops"]
    lines = (ROOT / "docs" / "survey.md").read_text().splitlines()
    for command, summary in figures.items():
        if not (named := [line for line in lines if command in line]):
            assert command.endswith("ovdistill_r18_shapes`"), command
        cell = "{:.1f} / {:.1f} |".format(
            *(summary[f"bbox/AP_{group}"]["mean"] for group in ("novel", "base"))
        )
        assert all(cell in line for line in named), command
