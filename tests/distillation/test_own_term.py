"""A distillation term from a module outside of the package trains, and is a row of the comparison.

Module, config, rows and commands are those that docs/own_term.md shows, word for word.
"""

import json
import re
import runpy
import shlex
from pathlib import Path

import pytest
import torch

from ovdistill.distillation.batch import DistillInputs, DistillRegions, TextEmbeddings
from ovdistill.distillation.term import DistillationTerm
from ovdistill.evaluation.comparison_rows import load_rows

from ..running import run as run_tool

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "own_term.md").read_text()
# a tiny benchmark, and two iterations on it
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


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the three files of the document."""
    folder = tmp_path_factory.mktemp("own_term")
    module, config, rows = blocks("python")
    (folder / "my_terms.py").write_text(module)
    config = config.replace("configs/", f"{ROOT}/configs/")
    (folder / "angle_r18_shapes.py").write_text(config)
    (folder / "my_rows.py").write_text(rows)
    return folder


def commands():
    """The words of each ovdistill command of the document."""
    (block,) = blocks("bash")
    lines = [shlex.split(line) for line in block.splitlines()]
    return {words[1]: words[1:] for words in lines if words[0] == "ovdistill"}


def run(folder, *words):
    return run_tool("-m", "ovdistill", *words, folder=folder)


@pytest.fixture(scope="module")
def term(folder):
    """The class of the document, its module run as Python imports it."""
    return runpy.run_path(str(folder / "my_terms.py"))["AngleTerm"]


def inputs_of(student, teacher, objectness):
    count = len(student)
    regions = DistillRegions(
        student=student,
        teacher=teacher,
        boxes=torch.zeros(count, 4),
        objectness=objectness,
        image_index=torch.zeros(count, dtype=torch.int64),
        overlap=torch.zeros(count),
    )
    texts = TextEmbeddings(torch.eye(2), torch.ones(2, dtype=torch.bool), 0.01)
    return DistillInputs(
        images=1, texts=texts, features=(), sampled=None, regions=regions, captions=None
    )


def test_loss_is_the_weighted_mean_and_zero_without_regions(term):
    assert issubclass(term, DistillationTerm)
    student, teacher = torch.eye(2), torch.tensor([[1.0, 0], [0, -1]])
    losses = term(loss_weight=3.0)(inputs_of(student, teacher, torch.tensor([0.75, 0.25])))
    assert losses["loss_angle"].item() == pytest.approx(3 * (0.75 * 0 + 0.25 * 2))
    empty = torch.zeros(0, 2, requires_grad=True)
    (loss,) = term()(inputs_of(empty, torch.zeros(0, 2), torch.zeros(0))).values()
    loss.backward()
    assert loss.item() == 0 and empty.grad.shape == (0, 2)


def test_rows_name_the_config_of_the_document(folder):
    (row,) = load_rows(folder / "my_rows.py")
    assert row.name == "angle" and (folder / row.config).is_file()


@pytest.mark.slow
def test_training_testing_and_comparison(folder):
    sizes = ["--train", "8", "--val", "4", "--test", "4", "--workers", "1"]
    run(folder, "make-ovshapes", "--root", "data", *sizes)
    words = commands()
    assert list(words) == ["train", "test", "compare"]
    run(folder, *words["train"], *SMALL)
    scalars = next((folder / "runs/angle").glob("*/vis_data/scalars.json")).read_text()
    assert "loss_angle" in scalars and "loss_vild_image" not in scalars
    run(folder, *words["test"], *SMALL[:2])
    assert "bbox/AP_novel" in json.loads((folder / "runs/angle/test/metrics.json").read_text())

    known = ["--known", str(ROOT / "docs/results/shape/clip/comparison.json")]
    output = run(folder, *words["compare"], "--data-root", "data", *known, *SMALL)
    assert "| angle (mine) | no | 1 |" in output and "| ViLD | no | 3 |" in output
    result = json.loads((folder / "runs/compare/shape/clip/comparison.json").read_text())
    (own,) = [row for row in result["rows"] if row["name"] == "angle"]
    assert own["config"] == "angle_r18_shapes.py" and 0 <= own["runs"][0]["bbox/AP"] <= 100
