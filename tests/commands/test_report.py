"""The command: its files, its errors, and the page as a browser shows it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ovdistill.commands.main import run as command
from ovdistill.core.errors import UserError
from ovdistill.core.images import write_image
from tests.app.pages import FLAGS, find_browser
from tests.evaluation.analysis.worlds import random_world, write_files

HOSTILE = ("<script>hostile()</script>", "\"quoted\" & 'so'", "yak</td>", "emu | *x*")


@pytest.fixture
def runs(tmp_path) -> list[Path]:
    """Two runs of the same images; the class names are hostile."""
    objects, detections = random_world(0)
    folders = []
    for name, found in (("one", detections), ("two", detections[::2])):
        folder = write_files(tmp_path / name / "test", objects, found, names=HOSTILE)
        for image in range(6):  # of twelve
            pixels = np.full((100, 100, 3), 40 * image, dtype=np.uint8)
            write_image(folder / "images" / f"{image}.png", pixels)
        folders.append(folder.parent)
    same = [json.loads((folder / "test/provenance.json").read_text()) for folder in folders]
    for folder, origin in zip(folders, same, strict=True):
        origin |= {"hashes": {"ann_file": "0" * 16}, "seed": len(folder.name)}
        (folder / "test/provenance.json").write_text(json.dumps(origin))
    return folders


@pytest.fixture
def page(tmp_path, runs) -> Path:
    assert not command(["report", *map(str, runs), "-o", str(tmp_path / "out"), "--gallery", "2"])
    return tmp_path / "out" / "report.html"


def test_the_files_have_the_figures(page, runs):
    report = json.loads((page.parent / "report.json").read_text())
    assert [run["name"] for run in report["runs"]] == ["one", "two"]
    assert [row["name"] for row in report["runs"][0]["classes"]] == [*HOSTILE]
    ap = report["runs"][1]["metrics"]["bbox/AP"]
    text = (page.parent / "report.md").read_text()
    assert f"| two | {ap:.1f} (" in text
    html = page.read_text()
    assert f"{ap:.1f}" in html and str(runs[0]) in html
    assert "could not be read" in html  # images 6 to 11
    assert html.count("data:image/webp;base64,") > 2
    assert len(html) < 5_000_000


def test_nothing_of_a_file_is_markup(page):
    html, text = page.read_text(), (page.parent / "report.md").read_text()
    assert html.count("<script>") == 1 and "hostile()&lt;/script&gt;" in html
    assert "yak</td>" not in html and "http://" not in html and "https://" not in html
    assert "<script>" not in text and "emu \\| \\*x\\*" in text


def test_names_of_runs(tmp_path, runs):
    named = [f"a<b={runs[0]}", f"second={runs[1]}"]
    out = tmp_path / "named"
    assert not command(["report", *named, "-o", str(out), "--gallery", "0"])
    assert "a&lt;b, boxes" in (out / "report.html").read_text()
    with pytest.raises(UserError, match="NAME=FOLDER"):
        command(["report", f"x={runs[0]}", f"x={runs[1]}", "-o", str(out), "--gallery", "0"])


@pytest.mark.parametrize("alone", [True, False])
def test_scores_of_any_scale_have_no_calibration(tmp_path, runs, alone):
    path = runs[1] / "test" / "detections.bbox.json"
    rows = json.loads(path.read_text())
    path.write_text(json.dumps([row | {"score": 100 * row["score"] - 20} for row in rows]))
    chosen, out = runs[1:] if alone else runs, tmp_path / "out"
    assert not command(["report", *map(str, chosen), "-o", str(out), "--gallery", "1"])
    found = json.loads((out / "report.json").read_text())["runs"]
    assert [bool(run["reliability"]) for run in found] == ([False] if alone else [True, False])
    html, text = (out / "report.html").read_text(), (out / "report.md").read_text()
    assert "| two | – | – | – |" in text
    assert ("Detections named as" in html) != alone


def test_what_is_missing_is_an_error_that_leaves_nothing(tmp_path, runs):
    out = tmp_path / "none"
    with pytest.raises(UserError, match="no such folder"):
        command(["report", str(tmp_path / "nowhere"), "-o", str(out)])
    (runs[1] / "test/detections.bbox.json").unlink()
    with pytest.raises(UserError, match="--dump"):
        command(["report", *map(str, runs), "-o", str(out)])
    assert not out.exists()


@pytest.fixture
def browser_page(page):
    """The page in a browser; requests and errors are kept."""
    browser = find_browser()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        opened = chromium.new_page(viewport={"width": 400, "height": 800})
        opened.requests, opened.errors = [], []
        opened.on("request", lambda request: opened.requests.append(request.url))
        opened.on("pageerror", lambda error: opened.errors.append(str(error)))
        opened.on("console", lambda message: opened.errors.append(message.text))
        opened.goto(page.as_uri())
        yield opened
        chromium.close()


def test_the_page_in_a_browser(browser_page, page):
    rows = browser_page.locator("#class-table tbody tr")
    names = rows.locator("th")
    assert set(names.all_inner_texts()) == {*HOSTILE}  # as they are, none of them ran

    header = browser_page.locator("#class-table thead tr").last.locator("th button")
    header.filter(has_text="objects").click()
    counts = [int(text) for text in rows.locator("td:nth-of-type(2)").all_inner_texts()]
    assert counts == sorted(counts, reverse=True) and len(counts) == 4
    header.filter(has_text="objects").click()
    assert [int(t) for t in rows.locator("td:nth-of-type(2)").all_inner_texts()] == counts[::-1]
    header.first.click()
    assert names.all_inner_texts() == sorted(HOSTILE, key=str.lower)

    browser_page.locator("input[type=search]").fill("QUOTED")
    visible = browser_page.locator("#class-table tbody tr:visible")
    assert visible.count() == 1
    browser_page.locator("input[type=search]").fill("")
    browser_page.locator("select").select_option("novel")
    assert visible.count() == 2
    assert browser_page.locator(".controls output").inner_text() == "2 of 4 classes"

    width = browser_page.evaluate("document.documentElement.scrollWidth")
    assert width <= 400  # wide tables scroll within themselves
    sizes = browser_page.evaluate("[...document.images].map((i) => i.naturalWidth)")
    assert sizes and browser_page.errors == []
    outside = [url for url in browser_page.requests if not url.startswith("data:")]
    assert outside == [page.as_uri()]
