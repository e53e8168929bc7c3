"""The pages in a browser, from end to end, as a visitor uses them."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

pytest.importorskip("gradio")

from ovdistill.core.assets import SAMPLE_IMAGE, SAMPLES
from ovdistill.inference.detector import Detector
from ovdistill.inference.packing import About, pack_detector
from ovdistill.inference.search.index import Index
from ovdistill.inference.search.write_index import write_index
from ovdistill.models.build import build_detector
from ovdistill.models.config import load_config
from ovdistill.teacher import build_teacher
from ovdistill.vocabulary import Vocabulary

from .pages import FLAGS, find_browser, running_app

pytestmark = pytest.mark.slow
WAIT = 20_000  # milliseconds


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    find_browser()
    folder = tmp_path_factory.mktemp("app")
    shutil.copytree(SAMPLES, folder / "photos")
    detector = Detector.from_pretrained("ovshapes", device="cpu")
    write_index(folder / "photos", folder / "photos.index", detector, model="ovshapes")
    Index.open(folder / "photos.index")  # notes that its checksums were compared
    before = sorted(folder.rglob("*"))
    with running_app(folder, "--index", "photos.index", "--max-upload", 1) as (url, process):
        yield url
    assert process.returncode == 0  # after Ctrl-C
    assert sorted(folder.rglob("*")) == sorted([*before, folder / "tmp"])  # nothing is left


@pytest.fixture(scope="module")
def address_of_segmentor(tmp_path_factory) -> Iterator[str]:
    """The page of an untrained segmentor with the shipped teacher."""
    find_browser()
    folder = tmp_path_factory.mktemp("segment")
    vocabulary = folder / "vocabulary.safetensors"
    config = load_config("lseg_r18_shapes", {"vocabulary": str(vocabulary)})
    names = ["plain background", "solid star", "striped circle"]
    known = Vocabulary.encode(names, build_teacher(config.teacher), ["a photo of {article} {}."])
    known.save(vocabulary)
    torch.manual_seed(0)
    model = build_detector(config, vocabulary=known)
    torch.nn.init.normal_(model.pixel_head.conv_logits.weight)
    pack_detector(config, model, folder / "published", About("lseg_r18_shapes", {}))
    with running_app(folder, "--model", "published", "--examples", SAMPLES) as (url, _):
        yield url


@pytest.fixture(scope="module")
def browser():
    path = find_browser()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def page(browser, address):
    with watched_page(browser, address) as page:
        yield page


@contextmanager
def watched_page(browser, address: str):
    """A page without errors of its scripts, that asks no other computer for anything."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(WAIT)
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.address = address
    yield page
    page.close()
    assert not errors
    assert all(url.startswith((address, "data:", "blob:")) for url in asked)


def says(page, place: str, text: str) -> None:
    """Wait until a place of the page has a text."""
    page.locator(place).filter(has_text=text).first.wait_for()


def ask(page, names: str) -> None:
    page.fill("#names textarea", names)
    page.press("#names textarea", "Enter")


def saved(page, button: str) -> tuple[str, bytes]:
    """Return the name and the content of the file that a button saves."""
    with page.expect_download() as download:
        page.get_by_role("button", name=button, exact=True).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def test_an_example_other_names_a_click_and_files(page) -> None:
    page.goto(page.address)
    page.get_by_text("red striped heart, green star").first.click()
    says(page, "#status", "1 red striped heart")
    ask(page, "solid circle, green star, <i>zebra</i>")
    says(page, "#status", "Not found: <i>zebra</i>.")
    assert "once; these names" in page.inner_text("#status")
    # the circle is in the upper right corner
    box = page.locator("#drawn img").bounding_box()
    page.mouse.click(box["x"] + 0.83 * box["width"], box["y"] + 0.2 * box["height"])
    says(page, "#hint", "solid circle")
    says(page, "#ranked", "solid hexagon")  # which was not asked for, and competes
    page.mouse.click(box["x"] + 0.1 * box["width"], box["y"] + 0.1 * box["height"])
    says(page, "#hint", "There is no object.")
    page.locator("#objects [data-testid='cell-0-1']").last.click()
    says(page, "#hint", "1: green star")
    name, content = saved(page, "COCO")
    assert name == "coco.json" and len(json.loads(content)["annotations"]) == 2
    # another threshold takes nothing but what is shown
    page.locator("#threshold input[type=number]").fill("0.99")
    page.keyboard.press("Enter")
    says(page, "#status", "Not found: solid circle")
    name, content = saved(page, "YOLO")
    labels = zipfile.ZipFile(io.BytesIO(content)).read("labels/ovshapes.txt")
    assert name == "ovshapes_yolo.zip" and len(labels.splitlines()) == 1
    assert saved(page, "JSON")[0] == "ovshapes.json"
    assert saved(page, "Image")[1].startswith(b"\x89PNG")


def test_uploads_good_and_bad(page, tmp_path: Path) -> None:
    page.goto(page.address)
    upload = page.locator("input[type=file]").first
    says(page, "#names", "What to look for")
    upload.set_input_files(SAMPLE_IMAGE)
    says(page, "#status", "Type what to look for.")
    ask(page, 'star, "ring')
    says(page, ".toast-body", "is not closed")
    ask(page, "green star")
    says(page, "#status", "1 green star")
    whole = SAMPLE_IMAGE.read_bytes()
    for content, problem in (
        (whole[:9000], "image file is truncated"),
        (b"%PDF-1.7", "it seems to be a PDF document"),
    ):
        damaged = tmp_path / "damaged.png"
        damaged.write_bytes(content)
        page.reload()
        says(page, "#names", "What to look for")
        page.locator("input[type=file]").first.set_input_files(damaged)
        says(page, ".toast-body", f"cannot read image damaged.png: {problem}")
    (tmp_path / "large.png").write_bytes(SAMPLE_IMAGE.read_bytes() + bytes(2_000_000))
    page.reload()
    says(page, "#names", "What to look for")
    page.locator("input[type=file]").first.set_input_files(tmp_path / "large.png")
    says(page, ".toast-body", "maximum allowed size")


def test_search_by_text_and_by_a_result(page) -> None:
    page.goto(f"{page.address}search")
    page.fill("#search-text textarea", "hexagon")
    page.press("#search-text textarea", "Enter")
    says(page, "#search-status", "regions")
    page.locator("#hits img").first.click()
    says(page, "#chosen", "hexagon.png")
    page.click("#like")
    says(page, "#hits", "1.000")  # the region itself; the hits of the text are below one
    hits = json.loads(saved(page, "JSON")[1])["hits"]
    assert hits[0]["rank"] == 1 and hits[0]["image"].endswith("hexagon.png")


def test_dark_and_light(page) -> None:
    page.goto(page.address)
    says(page, "#names", "What to look for")
    ink = "getComputedStyle(document.querySelector('#names textarea')).color"
    before = page.evaluate(ink)
    page.get_by_text("dark / light").click()
    page.wait_for_function(f"before => {ink} != before", arg=before)


def test_a_segmentor_names_the_pixels(browser, address_of_segmentor, tmp_path: Path) -> None:
    with watched_page(browser, address_of_segmentor) as page:
        page.goto(page.address)
        says(page, "#names", "Names of the pixels")
        page.locator("input[type=file]").first.set_input_files(SAMPLE_IMAGE)
        says(page, "#status", "%")
        assert "plain background" in page.inner_text("#status")  # names of the training
        ask(page, "solid star, ring")
        says(page, "#status", "ring")
        box = page.locator("#drawn img").bounding_box()
        page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["height"])
        says(page, "#hint", "Pixel 6")
        says(page, "#ranked", "striped circle")  # which was not asked for, and competes
        name, content = saved(page, "Label map")
        assert name == "ovshapes_label_map.zip"
        about = json.loads(zipfile.ZipFile(io.BytesIO(content)).read("label_maps.json"))
        assert [one["name"] for one in about["names"]] == ["solid star", "ring"]
        assert saved(page, "Image")[1].startswith(b"\x89PNG")
        assert page.get_by_text("Search", exact=True).count() == 0
