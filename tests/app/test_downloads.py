"""Files for the browser."""

from __future__ import annotations

import base64
import io
import json
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ovdistill.app.downloads import FORMS, Download, pack
from ovdistill.inference.detections import Detections


@pytest.fixture
def found() -> Detections:
    return Detections(
        boxes=np.array([[10, 20, 30, 40]], np.float32),
        scores=np.array([0.9], np.float32),
        labels=np.array([0]),
        names=("kite",),
        queries=("kite", "bird"),
        image=np.zeros((64, 80, 3), np.uint8),
        path="../beach.photo.JPG",
    )


def test_each_form_is_one_file(found: Detections, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    files = {form: pack(found, form, {}) for form in FORMS}
    names = ["beach.photo.png", "beach.photo.json", "coco.json", "beach.photo_yolo.zip"]
    assert [file.name for file in files.values()] == names
    assert Image.open(io.BytesIO(files["image"].content)).width >= 80
    assert json.loads(files["json"].content)["objects"][0]["name"] == "kite"
    coco = json.loads(files["coco"].content)
    assert coco["annotations"][0]["bbox"] == [10, 20, 20, 20]
    with zipfile.ZipFile(io.BytesIO(files["yolo"].content)) as archive:
        assert archive.namelist() == ["data.yaml", "labels/beach.photo.txt"]
        assert archive.read("labels/beach.photo.txt").startswith(b"0 0.25")
    assert not list(tmp_path.iterdir())  # nothing is left


def test_the_browser_gets_a_data_url() -> None:
    file = Download("a.json", b"{}").for_browser()
    kind, text = file["url"].split(",")
    assert (file["name"], kind) == ("a.json", "data:application/json;base64")
    assert base64.b64decode(text) == b"{}"
    assert "octet-stream" in Download("a", b"").for_browser()["url"]
