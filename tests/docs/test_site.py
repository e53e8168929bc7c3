"""The site builds without a warning, all its links lead somewhere, and it asks nobody else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from ..app.pages import FLAGS, find_browser
from .documented import ROOT

pytestmark = pytest.mark.slow
PREFIX = "/ovdistill/"  # of the published site, in the page for addresses that are not there


@dataclass
class Page(HTMLParser):
    """What a page refers to, and the anchors that it has."""

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        target = values.get("href") or values.get("src")
        if tag == "a" and target:
            self.links.append(target)
        elif target and values.get("rel") != "canonical":
            self.resources.append(target)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    for package in ("mkdocs", "material", "mkdocstrings_handlers.python"):
        pytest.importorskip(package)
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site) -> dict[str, Page]:
    """Every page by its address, such as "/regions/index.html"."""
    found = {}
    for path in site.rglob("*.html"):
        page = Page()
        page.feed(path.read_text(encoding="utf-8"))
        found[f"/{path.relative_to(site)}"] = page
    return found


def test_pages_of_the_repository_and_of_the_code_are_there(pages):
    expected = {"changelog", "contributing", "commands", "recipes", "methods/vild", "api/detector"}
    assert {f"/{name}/index.html" for name in expected} | {"/index.html"} <= {*pages}


def test_the_public_names_are_documented(pages):
    anchors = {anchor for page in pages.values() for anchor in page.anchors}
    assert {
        "ovdistill.inference.detector.Detector.predict",
        "ovdistill.inference.detections.Detections.filter",
        "ovdistill.inference.search.index.Index.search",
        "ovdistill.vocabulary.vocabulary.Vocabulary.load",
        "ovdistill.teacher.teacher.Teacher.encode_regions",
        "ovdistill.store.teacher_store.TeacherStore",
        "ovdistill.distillation.term.DistillationTerm.roi_weights",
        "ovdistill.distillation.vouch.term.VouchTerm",
        "ovdistill.models.region_word_head.RegionWordHead",
        "ovdistill.evaluation.ov_metric.OVMetric",
    } <= anchors


def test_links_and_anchors_lead_somewhere(site, pages):
    broken = []
    for address, page in pages.items():
        for link in page.links + page.resources:
            target = urlsplit(urljoin(f"http://site{address}", link))
            if target.netloc != "site":
                continue
            path = "/" + unquote(target.path).removeprefix(PREFIX).lstrip("/")
            path += "index.html" if path.endswith("/") else ""
            anchor = unquote(target.fragment)
            if not (site / path[1:]).is_file():
                broken.append((address, link))
            elif anchor and path in pages and anchor not in pages[path].anchors:
                broken.append((address, link))
    assert not broken


def test_nothing_is_loaded_from_elsewhere(site, pages):
    used = {link for page in pages.values() for link in page.resources}
    assert not [link for link in used if urlsplit(link).netloc]
    for path in site.rglob("*.css"):
        assert not re.findall(r"url\([\"']?(?:https?:)?//", path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def address(site) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_in_a_browser(address):
    """Search finds, pages fit a phone, no script fails, and no request leaves the machine."""
    browser_path = find_browser()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme="dark")
        asked, errors = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        for name in ("", "regions/", "api/detector/", "commands/", "recipes/"):
            page.goto(address + name, wait_until="networkidle")
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
        page.set_viewport_size({"width": 1400, "height": 900})
        page.keyboard.press("/")
        page.keyboard.type("modality gap")
        page.locator(".md-search-result__link", has_text="geometry").first.wait_for()
        browser.close()
    assert not errors
    assert not [url for url in asked if not url.startswith((address, "data:", "blob:"))]
