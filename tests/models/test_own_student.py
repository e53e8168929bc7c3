"""A backbone by timm's name, and one from a module outside of the package, train and are tested.

Module, configs and commands are those that docs/own_student.md shows, word for word.
"""

import json
import re
import shlex
from pathlib import Path

import pytest
import torch

from ..running import run as run_tool

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "own_student.md").read_text()
SMALL = [
    "--cfg-options",
    "data_root=data",
    "train_cfg.max_iters=2",
    "train_cfg.val_interval=9",
    "train_dataloader.batch_size=2",
    "prepare.regions.per_image=4",
    "default_hooks.logger.interval=1",
]


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", DOC, re.DOTALL)


TIMM_CONFIG, PIXELS, MODULE, CONFIG, SPEED = blocks("python")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the files of the document."""
    folder = tmp_path_factory.mktemp("own_student")
    (folder / "plain_backbone.py").write_text(MODULE)
    for name, text in (("plain_shapes.py", CONFIG), ("resnet_shapes.py", TIMM_CONFIG)):
        (folder / name).write_text(text.replace("configs/", f"{ROOT}/configs/"))
    return folder


def run(folder, *words):
    return run_tool("-m", "ovdistill", *words, folder=folder)


@pytest.mark.parametrize("code", [PIXELS, SPEED])
def test_snippets_print_what_they_say(code, capsys):
    exec(compile(code, "example", "exec"), {"__name__": "example"})
    printed = capsys.readouterr().out
    assert "123.675" in printed or re.search(r"resnet18 \d+ ms", printed)


@pytest.mark.slow
def test_both_train_and_are_tested(folder):
    sizes = ["--train", "8", "--val", "2", "--test", "2", "--workers", "1"]
    run(folder, "make-ovshapes", "--root", "data", *sizes)
    (block,) = blocks("bash")
    lines = [shlex.split(line) for line in block.splitlines()]
    train, test = (words[1:] for words in lines if words[0] == "ovdistill")
    run(folder, *train, *SMALL)
    weights = torch.load(folder / "runs/plain/last.pth", weights_only=True)["state_dict"]
    assert weights["backbone.stages.2.0.weight"].shape == (64, 32, 5, 5)
    assert weights["neck.lateral_convs.0.conv.weight"].shape[:2] == (32, 16)
    run(folder, *test, "-o", "out", *SMALL[:2])
    assert "bbox/AP_novel" in json.loads((folder / "out/metrics.json").read_text())

    run(folder, "train", "resnet_shapes.py", "--work-dir", "runs/timm", *SMALL)
    weights = torch.load(folder / "runs/timm/last.pth", weights_only=True)["state_dict"]
    assert weights["neck.lateral_convs.2.conv.weight"].shape[1] == 256
