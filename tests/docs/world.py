"""A folder with what the pages' commands name: images, annotations, detectors, embeddings."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from ovdistill.core.assets import SAMPLE_IMAGE, SAMPLES, STUDENT

from ..inference.video.clips import scene, write_clip
from .documented import ROOT

SIDE = 128  # of the shipped samples, in pixels


def fill(folder: Path) -> None:
    """Write the files that the commands of the pages read."""
    write_images(folder)
    for name in ("FOLDER", "PUBLISHED_FOLDER"):
        shutil.copytree(STUDENT, folder / name)
    prompts = (ROOT / "docs" / "prompts.md").read_text(encoding="utf-8")
    (folder / "names.yaml").write_text(re.findall(r"```yaml\n(.*?)```", prompts, re.DOTALL)[0])
    write_annotations(folder / "my.json", ["zebra", "tent", "lion"], ["photos/ovshapes.png"])
    pets = ["dog", "cat", "hamster", "parrot"]
    for subset in ("train", "val"):
        write_annotations(folder / "pets" / f"{subset}.json", pets, ["rex.png"])
    names = ["first.png", "second.png"]
    write_annotations(folder / "instances_train2017.json", ["dog"], names)
    for name, file in zip("ab", names, strict=True):
        start = 1 + names.index(file)
        write_annotations(folder / f"half_{name}.json", ["dog"], [file], first_id=start)
    boxes = [dict(image_id=i, bbox=[10, 10, 50, 40], score=0.9, category_id=1) for i in (1, 2)]
    (folder / "boxes.json").write_text(json.dumps(boxes))
    random = np.random.default_rng(0)
    for name, count in (("lvis_v1", 1203), ("coco", 65)):
        embeddings = random.standard_normal((count, 512)).astype(np.float32)
        np.save(folder / f"{name}_clip_a+cname.npy", embeddings)


def write_images(folder: Path) -> None:
    """Copy the shipped samples to where the pages have images, and make videos if PyAV is there."""
    shutil.copy(SAMPLE_IMAGE, folder / "IMAGE")
    shutil.copytree(SAMPLES, folder / "photos")
    for name in ("pets/rex.png", "pets/images/rex.png", "train2017/first.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SAMPLE_IMAGE, folder / name)
    shutil.copy(SAMPLE_IMAGE, folder / "train2017" / "second.png")
    (folder / "more" / "later").mkdir(parents=True)
    for name in ("photo.jpg", "more/later/one.jpg"):
        Image.open(SAMPLE_IMAGE).convert("RGB").save(folder / name)
    if importlib.util.find_spec("av"):
        (folder / "films").mkdir()
        for name in ("video.mp4", "street.mp4", "films/short.mp4"):
            write_clip(folder / name, scene(count=4))


def write_annotations(path: Path, names: list[str], files: list[str], first_id: int = 1) -> None:
    """Write a file in COCO's format: in each image an object of each class."""
    images = [
        dict(id=first_id + i, file_name=file, width=SIDE, height=SIDE)
        for i, file in enumerate(files)
    ]
    annotations = [
        dict(
            id=1 + len(names) * i + k,
            image_id=image["id"],
            category_id=1 + k,
            bbox=[10 + k, 10, 40, 30],
            area=1200,
            segmentation=[[10 + k, 10, 50 + k, 10, 50 + k, 40, 10 + k, 40]],
            iscrowd=0,
        )
        for i, image in enumerate(images)
        for k in range(len(names))
    ]
    categories = [dict(id=1 + k, name=name) for k, name in enumerate(names)]
    content = dict(images=images, annotations=annotations, categories=categories)
    path.write_text(json.dumps(content))
