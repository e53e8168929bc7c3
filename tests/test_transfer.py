"""Detectors of LVIS on other data: every class counts alike, no figure of novel classes is made up.

The weights are random: the test is of the flow of the data, not of the result.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from safetensors.torch import save_file

import ovdistill.models.register  # noqa: F401
from ovdistill.core.teacher_id import TeacherId
from ovdistill.distillation.vild.loss import ensemble_log_scores
from ovdistill.models.build import load_weights
from ovdistill.models.config import load_config
from ovdistill.vocabulary import Vocabulary

from .running import run

ROOT = Path(__file__).parents[1]
CONFIGS = ROOT / "configs"
NARROW = {
    "model.backbone.init_cfg": None,
    "model.roi_head.bbox_head.fc_out_channels": 32,
    "model.roi_head.image_head.fc_out_channels": 32,
}
ONE_HEAD = {"model.roi_head.image_head": None}


def vocabulary(count: int = 3, embed_dim: int = 512) -> Vocabulary:
    names = tuple(f"class {i}" for i in range(count))
    is_base = torch.arange(count) > 0
    teacher = TeacherId("ViT-B-32-quickgelu:openai")
    return Vocabulary(names, torch.eye(count, embed_dim), is_base, teacher)


def build(name: str, options: dict) -> torch.nn.Module:
    model = load_config(CONFIGS / f"{name}.py", options).model
    model["vocabulary"] = vocabulary()
    return MODELS.build(model)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A ViLD-ensemble of LVIS with narrow heads and random weights."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("transfer") / "ensemble.safetensors"
    save_file(build("vild_ens_r50_lvis", NARROW).state_dict(), path)
    return path


@pytest.mark.parametrize("name", ["coco", "voc", "objects365"])
def test_an_ensemble_of_lvis_loads_with_one_share_for_every_class(name, checkpoint):
    model = build(f"transfer_{name}", NARROW)
    load_weights(model, checkpoint)
    text, image = torch.rand(5, 3).log(), torch.rand(5, 3).log()
    expected = (text.exp() ** 0.6 * image.exp() ** 0.4).log()
    torch.testing.assert_close(model.roi_head._ensemble(text, image), expected)
    # ViLD's shares, which differ between base and novel classes, would give another score
    shares = ensemble_log_scores(text, image, model.roi_head.bbox_head.fc_cls.is_base, 2 / 3)
    assert not torch.allclose(shares, expected)


def test_a_detector_with_one_head_loads_too(tmp_path):
    options = {key: value for key, value in NARROW.items() if "image_head" not in key}
    save_file(build("vild_r50_lvis", options).state_dict(), tmp_path / "one.safetensors")
    load_weights(build("transfer_coco", options | ONE_HEAD), tmp_path / "one.safetensors")


@pytest.mark.parametrize(
    ("name", "threshold", "detections"),
    [("coco", 1e-4, 100), ("voc", 0.05, 100), ("objects365", 0.003, 300)],
)
def test_detections_that_count(name, threshold, detections):
    config = load_config(CONFIGS / f"transfer_{name}.py", {"data_root": "D"})
    rcnn = config.model.test_cfg.rcnn
    assert (rcnn.score_thr, rcnn.max_per_img) == (threshold, detections)
    assert config.test_dataloader.dataset.ann_file == config.val_ann
    assert config.prepare.vocabulary.names == f"D/{config.val_ann}"


@pytest.mark.slow
def test_coco_from_photos_to_figures(checkpoint, real_data, tmp_path):
    annotations = real_data / "coco_mini/annotations"
    output = run(
        "tools/test.py", "configs/transfer_coco.py", checkpoint, "-o", tmp_path,
        "--cfg-options",
        f"data_root={annotations}", f"vocabulary={tmp_path / 'words.safetensors'}",
        "val_ann=instances_train2017.json",
        f"val_images={real_data / 'coco_mini/images/train2017'}/",
        f"prepare.vocabulary.embeddings={real_data / 'clip_text/coco_clip_a+cname.npy'}",
        "test_dataloader.dataset.indices=3", "test_dataloader.num_workers=0",
        "test_dataloader.dataset.pipeline.1.scale=(128,128)", "model.test_cfg.rpn.max_per_img=20",
        *(f"{key}={value}" for key, value in NARROW.items()),
    )  # fmt: skip
    words = Vocabulary.load(tmp_path / "words.safetensors")
    assert len(words) == 80 and words.is_base.all()
    assert words.names[0] == "person" and "hair drier" in words.names
    rows = np.load(real_data / "clip_text/coco_clip_a+cname.npy").astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    assert np.allclose(words.embeddings.numpy(), rows, atol=1e-3)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert 0 <= metrics["bbox/AP"] == metrics["bbox/AP_base"] <= 100
    assert metrics["bbox/AP50"] == metrics["bbox/AP50_base"]
    for key in ("AP_novel", "AP50_novel", "HM50"):  # -1: a mean over nothing, shown as a dash
        assert metrics[f"bbox/{key}"] == -1
    (row,) = (line for line in (tmp_path / "metrics.md").read_text().splitlines() if "bbox" in line)
    assert row.endswith("| - | " + row.split("|")[-4].strip() + " | - | - |")
    assert "evaluated 3 of the 100 images" in output
    classes = json.loads((tmp_path / "per_category.json").read_text())
    assert {c["group"] for c in classes} == {"base"} and len(classes) == 80
    assert not [key for key in metrics if key.startswith("segm")]


def test_there_is_nothing_to_train():
    config = "configs/transfer_voc.py"
    output = run("tools/train.py", config, code=2)
    assert f"error: {config} trains nothing" in output and f"ovdistill test {config}" in output
    assert "Traceback" not in output
