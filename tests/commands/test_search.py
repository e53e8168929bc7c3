"""`ovdistill index` and `ovdistill search`, with the shipped detector on a shipped image."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ovdistill.commands.main import run
from ovdistill.commands.search import read_region
from ovdistill.core.assets import SAMPLE_IMAGE
from ovdistill.core.errors import UserError
from ovdistill.core.images import read_image
from ovdistill.visualization.contact_sheet import LOST


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("search")
    (folder / "photos").mkdir()
    shutil.copy(SAMPLE_IMAGE, folder / "photos" / "a.png")
    (folder / "photos" / "broken.png").write_bytes(b"no image")
    code = run(["index", str(folder / "photos"), "-o", str(folder / "index"), "--device", "cpu"])
    assert code == 1  # an image could not be read
    return folder


def search(folder: Path, *words: str) -> dict:
    out = folder / "out"
    assert not run(["search", str(folder / "index"), *words, "-o", str(out), "--device", "cpu"])
    return json.loads((out / "search.json").read_text())


def test_a_text(folder: Path, capsys) -> None:
    found = search(folder, "red striped heart, green star", "-k", "3")
    assert [hit["rank"] for hit in found["hits"]] == [1, 2, 3]
    first = found["hits"][0]
    assert first["name"] == "red striped heart" and first["score"] > 0.8
    assert first["image"] == str(folder / "photos" / "a.png")
    assert found["provenance"]["model"] == "ovshapes"
    assert read_image(folder / "out" / "search.png").shape[2] == 3
    printed = capsys.readouterr().out
    assert "rank" in printed and "a.png" in printed


def test_more_regions_than_there_are(folder: Path, capsys) -> None:
    found = search(folder, "ring", "-k", "500")
    assert 1 <= len(found["hits"]) <= 20
    assert "500" in capsys.readouterr().out


def test_a_sheet_of_the_first(folder: Path, monkeypatch, capsys) -> None:
    search(folder, "ring", "-k", "3")
    assert "search.png shows" not in capsys.readouterr().out
    monkeypatch.setattr("ovdistill.inference.search.hit_files.ON_SHEET", 2)
    assert len(search(folder, "ring", "-k", "3")["hits"]) == 3
    assert "search.png shows the first 2 of 3" in capsys.readouterr().out


def test_an_example(folder: Path) -> None:
    (star,) = search(folder, "green star", "-k", "1")["hits"]
    box = ",".join(map(str, star["box"]))
    image = folder / "photos" / "a.png"
    for words in (["--region", f"{image}:{box}"], ["--like", str(image)]):
        first = search(folder, *words)["hits"][0]
        assert first["score"] > 0.95
    assert search(folder, "--region", f"{image}:{box}")["hits"][0]["box"] == star["box"]


def test_images_that_are_gone(folder: Path, capsys) -> None:
    shutil.move(folder / "photos", folder / "moved")
    try:
        with pytest.raises(UserError, match="--root"):
            search(folder, "ring", "-k", "2")
        assert len(search(folder, "ring", "-k", "2", "--missing")["hits"]) == 2
        assert "1 images" in capsys.readouterr().err
        sheet = read_image(folder / "out" / "search.png")
        assert (sheet == LOST).all(axis=-1).sum() > 10_000
        search(folder, "ring", "-k", "2", "--root", str(folder / "moved"))
        sheet = read_image(folder / "out" / "search.png")
        assert (sheet == LOST).all(axis=-1).sum() < 1000
    finally:
        shutil.move(folder / "moved", folder / "photos")


def test_one_image_of_two_that_is_gone(tmp_path: Path, capsys) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / "photos").mkdir(exist_ok=True)
        shutil.copy(SAMPLE_IMAGE, tmp_path / "photos" / name)
    assert not run(["index", str(tmp_path / "photos"), "-o", str(tmp_path / "index")])
    (tmp_path / "photos" / "a.png").unlink()
    hits = search(tmp_path, "green star", "-k", "3")["hits"]
    assert {Path(hit["image"]).name for hit in hits} == {"b.png"} and len(hits) == 3
    assert "1 images of the index are not there any more" in capsys.readouterr().err


def test_every_region_of_an_object(folder: Path) -> None:
    boxes = [hit["box"] for hit in search(folder, "star", "-k", "99")["hits"]]
    every = [hit["box"] for hit in search(folder, "star", "-k", "99", "--overlapping")["hits"]]
    assert len(boxes) < len(every) and all(box in every for box in boxes)


@pytest.mark.parametrize("words", [[], ["star", "--like", str(SAMPLE_IMAGE)]])
def test_one_thing_is_searched_for(words: list[str], folder: Path) -> None:
    with pytest.raises(UserError, match=f"got {len(words[:2])}"):
        run(["search", str(folder / "index"), *words])


@pytest.mark.parametrize("text", ["photo.jpg", "photo.jpg:1,2,3", ":1,2,3,4", "a:1,2,3,x"])
def test_a_region_of_another_form(text: str) -> None:
    with pytest.raises(UserError, match="expected IMAGE:left"):
        read_region(text)


def test_a_region_of_an_image_with_a_colon_in_its_name() -> None:
    assert read_region("C:/a:b.jpg:1,2.5,3,4") == ("C:/a:b.jpg", (1, 2.5, 3, 4))
