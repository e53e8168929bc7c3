"""A teacher that is not CLIP, from a module outside of the package, works in every command.

Module and config are those that docs/own_teacher.md shows, word for word.
"""

import json
import re
from pathlib import Path

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.models.config import load_config
from ovdistill.store import TeacherStore
from ovdistill.teacher import build_teacher
from ovdistill.vocabulary import Vocabulary

from ..running import run

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "own_teacher.md").read_text()
DATA = ["--cfg-options", "data_root=data"]
SHORT = [*DATA, "train_cfg.max_iters=2", "train_cfg.val_interval=9"]


def block(language, number=0):
    return re.findall(rf"```{language}\n(.*?)```", DOC, re.DOTALL)[number]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the document's module and config."""
    root = tmp_path_factory.mktemp("project")
    (root / "colour_teacher.py").write_text(block("python", 0))
    config = block("python", 1).replace("configs/", f"{ROOT}/configs/")
    (root / "colours.py").write_text(config)
    return root


@pytest.fixture(scope="module")
def project(folder):
    """The folder with a benchmark of a few images."""
    ovdistill(folder, "make-ovshapes --root data --train 24 --val 8 --test 8")
    return folder


def ovdistill(root, command, *options):
    return run("-m", "ovdistill", *command.split(), *options, folder=root)


@pytest.mark.slow
def test_vocabulary_extraction_training_testing_and_prediction(project):
    ovdistill(project, "train colours.py --work-dir run", *SHORT)
    vocabulary = Vocabulary.load(project / "data/shape/clip/vocabulary.safetensors")
    assert (vocabulary.teacher.name, vocabulary.embed_dim) == ("colours", 8)
    store = TeacherStore(project / "data/shape/clip/regions")
    assert store.teacher == vocabulary.teacher and len(store) == 24
    ovdistill(project, "test colours.py run/last.pth -o out --teacher-on-crops", *DATA)
    assert "bbox/AP_novel" in json.loads((project / "out/metrics.json").read_text())
    image = next((project / "data/images/val").glob("*.png"))
    ovdistill(
        project,
        *("predict --config colours.py --checkpoint run/last.pth -o demo", image),
        *("--text", "red ring, blue star", *DATA),
    )
    (result,) = (project / "demo").glob("*.json")
    assert json.loads(result.read_text())["provenance"]["teacher"] == "colours"


@pytest.mark.slow
def test_commands_take_it_from_the_config(project):
    ovdistill(project, "extract --config colours.py --proposals grid --per-image 6 -o grid", *DATA)
    store = TeacherStore(project / "grid")
    assert store.teacher.name == "colours" and len(store) == 24
    ovdistill(project, "teacher evaluate --config colours.py --subset val -o measured", *DATA)
    found = json.loads((project / "measured" / "teacher.json").read_text())
    assert found["teacher"] == "colours" and found["figures"]["crops"][0]["name"] == "square:1"


@pytest.fixture
def colours(folder, monkeypatch):
    monkeypatch.syspath_prepend(folder)
    return build_teacher(load_config(folder / "colours.py").teacher)


def test_what_the_base_class_adds(colours):
    image = torch.zeros(3, 20, 40, dtype=torch.uint8)
    image[0, :, :20] = image[2, :, 20:] = 255  # red, blue
    boxes = torch.tensor([[2.0, 2, 12, 12], [24, 4, 34, 14]])
    similar = colours.encode_regions(image, boxes) @ colours.encode_text(["red", "blue"]).T
    assert similar.argmax(dim=1).tolist() == [0, 1]
    assert len(colours.weights_hash) == 16
    assert colours.id == ("colours", colours.weights_hash)
    assert not colours.train().training
    with pytest.raises(UserError, match="'colours' .ColourTeacher. has no text tower"):
        colours.text_tower()
