"""The examples of docs/detections.md run, in their order, and write what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "detections.md").read_text()
BLOCK = re.compile(r"^(<!-- not run: needs (\w+) -->\n)?```python\n(.*?)^```", re.M | re.S)


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for _, package, code in BLOCK.findall(PAGE):
        if not package:
            exec(compile(code, "detections.md", "exec"), names)
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {
        *("found.png", "found.json", "found.xml", "found_coco.json", "tasks.json"),
        *("yolo/data.yaml", "yolo/labels/ovshapes.txt"),
        *("crops/ovshapes_000_green star.png", "crops/ovshapes_001_red striped heart.png"),
    }
    detections = names["detections"]
    assert f"# {detections}\n" in PAGE
    assert names["best"].name == "green star" and len(names["stars"]) == 1
    assert np.array(names["pixels"]).dtype == np.uint8


def run_example(package: str) -> dict:
    pytest.importorskip(package)
    first = BLOCK.search(PAGE)[3]
    (code,) = (code for _, needed, code in BLOCK.findall(PAGE) if needed.lower() == package)
    names: dict = {}
    exec(compile(first + code, "detections.md", "exec"), names)
    assert len(names["detections"]) == 2
    return names


def test_the_example_of_supervision_runs() -> None:
    names = run_example("supervision")
    assert names["found"]["class_name"].tolist() == list(names["detections"].names)
    assert (names["drawn"] != names["detections"].image).any()


def test_the_example_of_fiftyone_runs() -> None:
    assert len(run_example("fiftyone")["sample"]["found"].detections) == 2
