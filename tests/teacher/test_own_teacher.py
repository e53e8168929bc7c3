"""A teacher that is not CLIP, from a module outside of the package, works everywhere.

The module is the one that docs/own_teacher.md shows, word for word.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ovdistill.core.errors import UserError
from ovdistill.models.config import load_config
from ovdistill.store import TeacherStore
from ovdistill.teacher import build_teacher
from ovdistill.vocabulary import Vocabulary

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "own_teacher.md").read_text()


def block(language, number=0):
    return re.findall(rf"```{language}\n(.*?)```", DOC, re.DOTALL)[number]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with the document's module and config, and a benchmark of a few images."""
    root = tmp_path_factory.mktemp("project")
    (root / "colour_teacher.py").write_text(block("python", 0))
    config = block("python", 1).replace("configs/", f"{ROOT}/configs/")
    (root / "colours.py").write_text(config)
    run(
        root,
        ROOT / "tools/make_shapes.py",
        "--root",
        "data",
        "--train",
        24,
        "--val",
        8,
        "--test",
        8,
    )
    return root


def run(root, *words):
    environment = {**os.environ, "PYTHONPATH": f"{root}:{ROOT}", "OMP_NUM_THREADS": "1"}
    words = [str(word) for word in words]
    command = [sys.executable, *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def cli(root, *words):
    return run(root, "-m", "ovdistill.commands.main", *words)


def test_vocabulary_extraction_training_testing_and_demo(project):
    options = [
        "--cfg-options",
        "data_root=data",
        "train_cfg.max_iters=2",
        "train_cfg.val_interval=9",
    ]
    run(project, ROOT / "tools/train.py", "colours.py", "--work-dir", "run", *options)
    words = Vocabulary.load(project / "data/shape/vocabulary.safetensors")
    assert (words.teacher, words.embed_dim) == ("colours", 8)
    store = TeacherStore(project / "data/shape/regions")
    assert store.header["teacher"] == "colours" and len(store) == 24
    run(
        project, ROOT / "tools/test.py", "colours.py", "run/last.pth", "-o", "out",
        "--teacher-on-crops", *options[:2],
    )  # fmt: skip
    assert "bbox/AP_novel" in json.loads((project / "out/metrics.json").read_text())
    image = next((project / "data/images/val").glob("*.png"))
    run(
        project, ROOT / "demo/image_demo.py", image, "--config", "colours.py", "--checkpoint",
        "run/last.pth", "--text", "red ring, blue star", "-o", "demo", *options[:2],
    )  # fmt: skip
    (result,) = (project / "demo").glob("*.json")
    assert json.loads(result.read_text())["provenance"]["teacher"] == "colours"


def test_commands_take_it_from_the_config(project):
    common = ["--config", "colours.py", "--cfg-options", "data_root=data"]
    out = cli(project, "extract", *common, "--proposals", "grid", "--per-image", 6, "-o", "grid")
    assert "24 images" in out
    assert TeacherStore(project / "grid").header["teacher"] == "colours"


@pytest.fixture
def colours(project, monkeypatch):
    monkeypatch.syspath_prepend(project)
    return build_teacher(load_config(project / "colours.py").teacher)


def test_what_the_base_class_adds(colours):
    red, blue = np.zeros((2, 20, 20, 3), np.uint8)
    red[..., 0], blue[..., 2] = 255, 255
    image = torch.from_numpy(np.concatenate([red, blue], axis=1)).permute(2, 0, 1)
    boxes = torch.tensor([[2.0, 2, 12, 12], [24, 4, 34, 14]])
    similar = colours.encode_regions(image, boxes) @ colours.encode_text(["red", "blue"]).T
    assert similar.argmax(dim=1).tolist() == [0, 1]
    assert len(colours.weights_hash) == 16
    assert not colours.train().training
    assert Image.fromarray(red).size == (20, 20)
    with pytest.raises(UserError, match="has no text tower to learn prompts"):
        colours.text_tower()


def test_unknown_types_and_arguments():
    with pytest.raises(UserError, match="no teacher type 'Oracle'.*custom_imports"):
        build_teacher(dict(type="Oracle"))
    with pytest.raises(UserError, match="OpenCLIPTeacher.*size"):
        build_teacher(dict(model="ovshapes", size=3))
