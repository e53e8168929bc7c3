"""OVShapes on disk."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools import mask as rle
from pycocotools.coco import COCO

from ovdistill.core.errors import UserError
from ovdistill.ovshapes import generate
from ovdistill.ovshapes.categories import category_names
from ovdistill.ovshapes.generate import (
    DONE,
    PARTIAL,
    frequency,
    image_plan,
    make_ovshapes,
    train_weights,
)
from ovdistill.ovshapes.scenes import draw_categories, scene

from ..running import heed_ctrl_c

SMALL = {"train": 24, "val": 6, "test": 8}
TOOL = Path(__file__).parents[2] / "tools" / "make_shapes.py"


def digest(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    return make_ovshapes(tmp_path_factory.mktemp("shapes") / "a", workers=1, **SMALL)


def load(root: Path, name: str) -> dict:
    return json.loads((root / "annotations" / f"{name}.json").read_text())


def test_same_bytes_whatever_the_workers(root, tmp_path):
    again = make_ovshapes(tmp_path / "b", workers=2, **SMALL)
    assert digest(again) == digest(root)
    assert len(digest(root)) == 24 + 6 + 8 + 6 + 1


def test_a_second_run_waits_and_takes_what_the_first_has_drawn(root, tmp_path, monkeypatch):
    drawn = shutil.copytree(root, tmp_path / "b")
    (drawn / DONE).rename(drawn / "later")
    (drawn / PARTIAL).mkdir()  # the first is about to write DONE

    @contextmanager
    def first_ends(folder, purpose, *, wait):
        assert (folder, wait) == (drawn, True)
        (drawn / "later").rename(drawn / DONE)
        yield

    monkeypatch.setattr(generate, "folder_lock", first_ends)
    monkeypatch.setattr(generate, "_draw", None)
    make_ovshapes(drawn, workers=1, **SMALL)


def test_an_image_does_not_depend_on_the_number_of_images(root, tmp_path):
    fewer = make_ovshapes(tmp_path / "c", train=3, val=1, test=2, workers=1)
    a, b = digest(root), digest(fewer)
    for name in b:
        if name.startswith("images/"):
            assert a[name] == b[name]


def test_seed_and_subset_change_the_images(root, tmp_path):
    other = make_ovshapes(tmp_path / "d", seed=1, train=1, val=1, test=1, workers=1)
    a, b = digest(root), digest(other)
    assert a["images/train/000000000001.png"] != b["images/train/000000000001.png"]
    assert len({value for name, value in a.items() if name.startswith("images/")}) == 24 + 6 + 8


@pytest.mark.parametrize("subset", ["train", "val", "test"])
def test_pycocotools_agrees_with_the_annotations(root, subset):
    coco = COCO(str(root / "annotations" / f"instances_{subset}.json"))
    assert len(coco.imgs) == SMALL[subset]
    assert tuple(c["name"] for c in coco.loadCats(coco.getCatIds())) == category_names()
    for annotation in coco.loadAnns(coco.getAnnIds()):
        mask = coco.annToMask(annotation)
        assert mask.shape == (128, 128) and mask.sum() == annotation["area"] > 0
        assert rle.toBbox(annotation["segmentation"]).tolist() == annotation["bbox"]
    for image in coco.imgs.values():
        pixels = cv2.imread(str(root / "images" / image["file_name"]))
        assert pixels.shape == (image["height"], image["width"], 3)
        present = {a["category_id"] for a in coco.loadAnns(coco.getAnnIds(image["id"]))}
        assert present.isdisjoint(image["neg_category_ids"])
        assert len(present) + len(image["neg_category_ids"]) == 65


def test_the_file_is_the_scene(root):
    """Channel order and masks survive the way to the disk."""
    drawn = scene(np.random.default_rng((0, 1, 0)))  # seed 0, subset 1 = val, image 0
    content = load(root, "instances_val")
    image = content["images"][0]
    pixels = cv2.imread(str(root / "images" / image["file_name"]))[..., ::-1]
    np.testing.assert_array_equal(pixels, drawn.image)
    annotations = [a for a in content["annotations"] if a["image_id"] == image["id"]]
    for annotation, thing in zip(annotations, drawn.objects, strict=True):
        assert category_names()[annotation["category_id"] - 1] == thing.name
        assert annotation["colour"] == thing.colour
        np.testing.assert_array_equal(rle.decode(annotation["segmentation"]), thing.mask)
    assert load(root, "captions_val")["annotations"][0]["caption"] == drawn.caption


def test_ids_are_unique_over_the_subsets(root):
    ids = [i["id"] for s in SMALL for i in load(root, f"instances_{s}")["images"]]
    assert len(ids) == len(set(ids)) == 38


def test_categories_count_the_train_images(root):
    train = load(root, "instances_train")
    assert train["categories"] == load(root, "instances_test")["categories"]
    for category in train["categories"]:
        found = [a["image_id"] for a in train["annotations"] if a["category_id"] == category["id"]]
        assert category["instance_count"] == len(found)
        assert category["image_count"] == len(set(found))
        assert category["frequency"] == frequency(len(set(found)))


def image_categories(seed: int, subset: str, index: int) -> np.ndarray:
    """The category indices of an image, without drawing it."""
    return draw_categories(*image_plan(seed, subset, index))


def test_frequency_thresholds_are_lvis():
    assert [frequency(n) for n in (1, 10, 11, 100, 101)] == ["r", "r", "c", "c", "f"]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_default_train_is_long_tailed(seed):
    images = np.zeros(65, int)
    for index in range(2400):
        images[list(set(image_categories(seed, "train", index)))] += 1
    assert images.min() >= 2
    groups = [frequency(n) for n in images]
    assert groups.count("r") >= 2 and groups.count("c") >= 15 and groups.count("f") >= 15
    weights = train_weights(seed)
    assert weights.sum() == pytest.approx(1)
    assert weights.max() / weights.min() == pytest.approx(80)


def test_default_test_is_uniform():
    counts = np.zeros(65, int)
    for index in range(800):
        np.add.at(counts, image_categories(0, "test", index), 1)
    assert counts.sum() / 65 == pytest.approx(49, abs=2)  # 800 x 4 / 65
    assert counts.min() >= 20 and counts.max() <= 80


def test_finished_root_is_left_alone(root):
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    make_ovshapes(root, workers=1, **SMALL)
    assert before == {path: path.stat().st_mtime_ns for path in root.rglob("*")}


def test_interrupted_run_is_finished_by_the_next(root, tmp_path):
    target = tmp_path / "e"
    (target / ".partial" / "images").mkdir(parents=True)
    (target / ".partial" / "images" / "half.png").write_bytes(b"x")
    (target / "images" / "train").mkdir(parents=True)  # interrupted while moving the results
    make_ovshapes(target, workers=1, **SMALL)
    assert digest(target) == digest(root)


def test_interrupt_ends_the_tool_at_once(tmp_path):
    command = [sys.executable, str(TOOL), "--root", str(tmp_path / "i"), "--train", "90000"]
    options = dict(stderr=subprocess.PIPE, start_new_session=True)
    options["preexec_fn"] = heed_ctrl_c
    with subprocess.Popen(command, **options) as running:
        while not list(tmp_path.glob("i/.partial/images/train/*5.png")):
            assert running.poll() is None
            time.sleep(0.1)
        os.killpg(running.pid, signal.SIGINT)  # what Ctrl-C does: the workers get it too
        _, message = running.communicate(timeout=60)
    assert running.returncode == 130
    assert b"Traceback" not in message
    assert not (tmp_path / "i" / "shapes.json").exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_is_one_line(workers, tmp_path):
    root = tmp_path / "full"
    words = f"--root {root} --train 3 --val 1 --test 1 --workers {workers} -q".split()
    done = subprocess.run(
        [sys.executable, str(TOOL), *words],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: cannot write {root / PARTIAL}/images/train/000000000001.png")


def test_other_parameters_need_force(tmp_path):
    tiny = {"train": 2, "val": 1, "test": 1, "workers": 1}
    target = make_ovshapes(tmp_path / "f", **tiny)
    (target / "mine.txt").write_text("kept")
    with pytest.raises(UserError, match="--force"):
        make_ovshapes(target, seed=1, **tiny)
    make_ovshapes(target, seed=1, force=True, **tiny)
    assert json.loads((target / "shapes.json").read_text())["seed"] == 1
    assert (target / "mine.txt").exists()


def test_foreign_images_are_never_overwritten(tmp_path):
    photo = tmp_path / "images" / "photo.jpg"
    photo.parent.mkdir()
    photo.write_bytes(b"x")
    for force in (False, True):
        with pytest.raises(UserError, match="not OVShapes"):
            make_ovshapes(tmp_path, train=1, val=1, test=1, workers=1, force=force)
    assert photo.read_bytes() == b"x"


@pytest.mark.parametrize(
    "bad", [{"train": 0}, {"size": 8}, {"workers": 0}, {"seed": -1}, {"test": 1_000_000}]
)
def test_bad_values_are_named(bad, tmp_path):
    with pytest.raises(UserError, match=f"--{next(iter(bad))} is"):
        make_ovshapes(tmp_path / "g", **bad)
    assert not (tmp_path / "g").exists()
