"""Drawings are shown and written as the name of the file says."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageShow

from ovdistill.core.errors import UserError
from ovdistill.core.images import read_image
from ovdistill.inference.drawn import draw

from .formats.examples import HEIGHT, WIDTH, detections, image_file, reduced


def test_the_suffix_says_what_is_written(tmp_path: Path) -> None:
    found = detections()
    assert found.save(tmp_path / "new" / "a.png") == tmp_path / "new" / "a.png"
    np.testing.assert_array_equal(read_image(tmp_path / "new" / "a.png"), found.draw())
    found.save(str(tmp_path / "a.JPG"))
    assert Image.open(tmp_path / "a.JPG").format == "JPEG"
    difference = read_image(tmp_path / "a.JPG").astype(int) - found.draw()
    assert np.abs(difference).mean() < 12  # the image is noise
    found.save(tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text()) == found.to_dict()
    for name in ("a", "a.gif", "a.xml"):
        with pytest.raises(UserError, match=r"\.png.*\.json"):
            found.save(tmp_path / name)


def test_the_image_is_read_where_only_its_path_is_known(tmp_path: Path) -> None:
    found = detections()
    read = replace(found, image=None, path=image_file(tmp_path, found))
    np.testing.assert_array_equal(read.draw(), found.draw())
    with pytest.raises(UserError, match="image"):
        replace(found, image=None, path=None).draw()
    with pytest.raises(UserError, match="130 x 90"):  # the file is another image now
        replace(read, size=(80, 130)).draw()


def test_a_large_image_is_reduced_for_the_drawing() -> None:
    found = replace(reduced(), image=np.zeros((3 * HEIGHT, 3 * WIDTH, 3), np.uint8))
    small = draw(found, max_pixels=HEIGHT * WIDTH)
    assert small.shape[1] == 5 * WIDTH  # and enlarged to 640 pixels
    assert small[: 5 * HEIGHT].any()


def test_a_notebook_gets_a_png(tmp_path: Path) -> None:
    for found in (detections(), detections(0)):
        image = Image.open(io.BytesIO(found._repr_png_()))
        np.testing.assert_array_equal(np.asarray(image), found.draw())
    assert replace(detections(path=None), image=None)._repr_png_() is None


def test_show_gives_the_drawing_to_a_viewer(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []

    class Viewer(ImageShow.Viewer):
        def show(self, image: Image.Image, **options: object) -> bool:
            shown.append(np.asarray(image))
            return True

    monkeypatch.setattr(ImageShow, "_viewers", [Viewer()])
    detections().show()
    np.testing.assert_array_equal(shown[0], detections().draw())
    monkeypatch.setattr(ImageShow, "_viewers", [])
    with pytest.raises(UserError, match="save"):
        detections().show()
