"""What a search has found is drawn small, whatever the size of the images."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ovdistill.core.images import read_image
from ovdistill.inference.search import hit_files
from ovdistill.inference.search.hit_files import (
    LARGEST_SIDE,
    OUTLINE,
    crop_around,
    outlined,
    write_hits,
    write_sheet,
)
from ovdistill.inference.search.index import Hit


@pytest.mark.parametrize("size", [(3000, 2000), (40, 20), (4000, 2)])
def test_crops_have_one_size(size: tuple[int, int]) -> None:
    height, width = size
    crop = crop_around(np.zeros((*size, 3), np.uint8), (0, 0, width, height))
    assert crop.shape == (320, max(1, 320 * width // height), 3)
    assert (crop[0, 0] == OUTLINE).all()


def test_whole_images_are_reduced_to_what_a_screen_shows() -> None:
    drawn = outlined(np.zeros((3000, 4000, 3), np.uint8), (1000, 0, 4000, 3000))
    assert drawn.shape == (1200, LARGEST_SIDE, 3)
    assert (drawn[600, 400] == OUTLINE).all() and not drawn[600, 600].any()
    assert outlined(np.zeros((400, 600, 3), np.uint8), (0, 0, 9, 9)).shape == (400, 600, 3)


def test_thousands_of_hits_are_listed_and_the_first_ones_drawn(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(hit_files, "ON_SHEET", 3)
    asked: list[str] = []
    monkeypatch.setattr(hit_files, "read_if_there", asked.append)
    box = (0.0, 0.0, 4.0, 4.0)
    hits = [Hit(n, 0.5, f"{n}.png", box, 1.0, "ring", "as indexed") for n in range(1, 6)]
    for count in (3, 5):
        asked.clear()
        assert write_sheet(tmp_path / f"{count}.png", hits[:count], "ring") == 3
        assert asked == ["1.png", "2.png", "3.png"]
    assert read_image(tmp_path / "3.png").shape == read_image(tmp_path / "5.png").shape
    write_hits(tmp_path / "search.json", hits, {})
    assert len(json.loads((tmp_path / "search.json").read_text())["hits"]) == 5
