"""The commands that docs/own_data.md begins with, word for word, on small data."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from ovdistill.ovshapes.generate import make_ovshapes

from ...running import run

ROOT = Path(__file__).parents[3]
DOC = (ROOT / "docs" / "own_data.md").read_text()
# the benchmark's teacher and random weights in place of downloads; workers cost more than they save
OFFLINE = {
    "init-dataset": ["--teacher", "ovshapes", "--batch-size", "2"],
    "prepare": ["--offline", "--cfg-options", "prepare.regions.per_image=2",
                "model.backbone.init_cfg=None",
                "prepare.proposals.options.model.backbone.init_cfg=None",
                "prepare.proposals.options.train_dataloader.num_workers=0",
                "prepare.proposals.options.train_dataloader.persistent_workers=False"],
    "train": ["--offline", "--cfg-options", "model.backbone.init_cfg=None",
              "prepare.regions.per_image=2", "train_dataloader.num_workers=0",
              "train_dataloader.persistent_workers=False", "val_dataloader.num_workers=0"],
    "test": ["--offline", "--cfg-options", "test_dataloader.num_workers=0"],
}  # fmt: skip


def commands():
    """The words of each command of the first block."""
    block = re.search(r"```bash\n(.*?)```", DOC, re.DOTALL)
    assert block is not None
    return [shlex.split(line) for line in block[1].replace("\\\n", " ").splitlines()]


@pytest.fixture
def folder(tmp_path):
    """A folder 'pets' with images and two annotation files, one of whose classes is a hamster."""
    make_ovshapes(tmp_path / "shapes", train=4, val=2, test=1, workers=1)
    pets = tmp_path / "pets"
    shutil.copytree(tmp_path / "shapes" / "images", pets / "images")
    for subset in ("train", "val"):
        text = (tmp_path / f"shapes/annotations/instances_{subset}.json").read_text()
        (pets / f"{subset}.json").write_text(text.replace("solid heart", "hamster"))
    shutil.copyfile(next((pets / "images").rglob("*.png")), pets / "images" / "1.png")
    return tmp_path


@pytest.mark.slow
def test_from_a_file_to_a_text_query(folder):
    done = []
    for words in commands():
        given = ["2" if word == "200" else word for word in words[1:]]
        # `check` reports classes that are not in these few images, and exits with 0
        run("-m", "ovdistill", *given, *OFFLINE.get(given[0], []), folder=folder)
        done.append(given[0])
    assert done == ["check", "init-dataset", "prepare", "train", "test", "predict"]
    assert (folder / "work_dirs/pets/last.pth").is_file()
