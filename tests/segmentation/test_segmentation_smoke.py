"""The commands on a handful of images: prepare, train, resume, test."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save_file

from ovdistill.commands.report import ReportOptions, report
from ovdistill.core.checkpoints import read_weights
from ovdistill.models.build import build_detector
from ovdistill.models.config import load_config
from ovdistill.segmentation.data.label_map import read_label_map
from ovdistill.vocabulary import Vocabulary
from tests.running import run

pytestmark = pytest.mark.slow  # each test runs whole commands

SMALL = (
    "train_cfg.max_iters=2",
    "train_cfg.val_interval=2",
    "train_dataloader.batch_size=2",
    "val_dataloader.num_workers=0",
    "test_dataloader.num_workers=0",
)
RECIPE = "maskclip_plus_r18_shapes"
SELF_TAUGHT = "model.distillers.0.self_training_after=1"  # from the second iteration on


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a small data set and two iterations of training, the second one self-taught."""
    work = tmp_path_factory.mktemp("segmentation")
    run(
        "-m", "ovdistill", "make-ovshapes", "--root", work / "data",
        "--train", 4, "--val", 4, "--test", 4, "--workers", 1,
    )  # fmt: skip
    run(
        "-m", "ovdistill", "train", RECIPE, "--work-dir", work / "run", "--cfg-options",
        f"data_root={work / 'data'}", SELF_TAUGHT, *SMALL,
    )  # fmt: skip
    return work


def test_a_training_leaves_figures_and_a_checkpoint_without_the_teacher(trained):
    scalars = next((trained / "run").glob("*/vis_data/scalars.json")).read_text()
    assert "loss_pseudo_label" in scalars and "semantic/uIoU" in scalars
    weights = read_weights(trained / "run" / "last.pth")
    assert {key.split(".")[0] for key in weights} == {
        *("backbone", "neck", "pixel_head", "distillers", "teacher_mark"),
    }
    assert weights["distillers.0.step"] == 2


def test_a_training_resumes_in_its_phase(trained):
    output = run(
        "-m", "ovdistill", "train", RECIPE, "--work-dir", trained / "run", "--resume",
        "--cfg-options", f"data_root={trained / 'data'}", SELF_TAUGHT,
        *SMALL, "train_cfg.max_iters=3",
    )  # fmt: skip
    assert "iter: 2" in output
    assert read_weights(trained / "run" / "iter_3.pth")["distillers.0.step"] == 3


def test_a_test_writes_figures_label_maps_and_where_they_come_from(trained):
    out = trained / "out"
    output = run(
        "-m", "ovdistill", "test", RECIPE, trained / "run" / "iter_2.pth", "-o", out, "--dump",
        "--show", 2, "--cfg-options", f"data_root={trained / 'data'}", *SMALL[-1:],
    )  # fmt: skip
    figures = json.loads((out / "metrics.json").read_text())
    assert {"semantic/mIoU", "semantic/sIoU", "semantic/uIoU", "semantic/hIoU"} <= set(figures)
    assert "uIoU" in output and "uIoU" in (out / "metrics.md").read_text()
    origin = json.loads((out / "provenance.json").read_text())
    assert origin["subset"] == "test" and set(origin["hashes"]) >= {"checkpoint", "vocabulary"}
    assert len(json.loads((out / "per_category.json").read_text())) == 66
    maps = sorted((out / "label_maps").glob("*.png"))
    assert len(maps) == 4
    assert len(list((out / "images").rglob("*.png"))) == 2
    report(ReportOptions(runs=(str(out),), out=str(trained / "report")))
    page = (trained / "report" / "report.html").read_text()
    assert "4 images" in page and page.count("data:image/webp") == 8  # the worst and the best
    values = torch.from_numpy(read_label_map(maps[0], (128, 128)))
    assert 1 <= values.min() <= values.max() <= 66
    again = trained / "again"  # the label maps alone have the same figures
    run(
        "-m", "ovdistill", "test", RECIPE, "--results", out / "label_maps", "-o", again,
        "--cfg-options", f"data_root={trained / 'data'}",
    )  # fmt: skip
    for name in ("metrics.json", "per_category.json"):
        assert json.loads((again / name).read_text()) == json.loads((out / name).read_text())


def test_masks_of_a_detector_are_tested_as_panoptic_maps_too(trained):
    data, out = trained / "data", trained / "panoptic"
    vocabulary = data / "shape" / "clip-directions" / "vocabulary_segmentation.safetensors"
    config = load_config("maskword_r18_shapes", {"model.detector.init_cfg": None})
    torch.manual_seed(0)
    model = build_detector(config, vocabulary=Vocabulary.load(vocabulary))
    weights = {key: value.contiguous() for key, value in model.state_dict().items()}
    save_file(weights, trained / "masks.safetensors")
    run(
        "-m", "ovdistill", "test", "maskword_r18_shapes", trained / "masks.safetensors", "-o", out,
        "--cfg-options", f"data_root={data}", "model.detector.init_cfg=None", *SMALL[-1:],
    )  # fmt: skip
    figures = json.loads((out / "metrics.json").read_text())
    assert {"semantic/uIoU", "panoptic/PQ", "panoptic/uPQ"} <= set(figures)
    classes = json.loads((out / "per_category.json").read_text())
    found = {(own["kind"], own["name"]): own for own in classes}
    backgrounds = found["panoptic", "background"]
    assert backgrounds["tp"] + backgrounds["fn"] == 4  # one in each image
    report(ReportOptions(runs=(str(out),), out=str(trained / "report_of_masks")))
    text = (trained / "report_of_masks" / "report.md").read_text()
    assert "| PQ novel |" in text


def test_what_only_detectors_have_is_refused(trained):
    output = run(
        "-m", "ovdistill", "test", RECIPE, trained / "run" / "iter_2.pth", "--teacher-on-crops",
        "-o", trained / "refused", "--cfg-options", f"data_root={trained / 'data'}", code=2,
    )  # fmt: skip
    assert "--teacher-on-crops" in output
