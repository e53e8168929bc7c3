"""On a GPU: the results of the CPU, within the precision of its arithmetic. Skipped without one."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmcv.ops import roi_align
from torchvision.ops import box_iou

from ovdistill import Detector, Segmentor
from ovdistill.core import mmcv_ops
from ovdistill.core.assets import SAMPLE_IMAGE
from ovdistill.core.images import read_image
from ovdistill.models.paste_masks import paste_masks
from ovdistill.teacher import Teacher, build_teacher
from ovdistill.teacher.region_policy import region_policy
from ovdistill.teacher_training.run import run_training

from .batches import batch, build, losses_of, make_vocabulary, without_gradient
from .segmentation import small
from .stand_in import SEGMENTOR_CONFIG, TextsByLength, save_untrained_segmentor
from .teacher_training import tiny

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

GPU = torch.device("cuda")
TEXT = "solid circle, green star, red striped heart, outlined cross, ring"
RECIPES = (
    "vild", "vild_text", "vild_image", "vild_ensemble", "hierkd", "hierkd_atss", "rkd",
    "rkd_pseudo", "vouch", "ovdistill", "focal", "oracle",
)  # fmt: skip


@pytest.fixture(autouse=True)
def full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Convolutions in float32, where the default is TF32 with ten bits."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


def assert_close(a: torch.Tensor, b: torch.Tensor, tolerance: float = 1e-4) -> None:
    torch.testing.assert_close(a.cpu(), b.cpu(), atol=tolerance, rtol=tolerance)


def test_operations_that_serve_mmcv() -> None:
    corner = torch.rand(200, 2) * 50
    boxes = torch.cat([corner, corner + 5 + torch.rand(200, 2) * 20], dim=1)
    scores = torch.rand(200)
    kept = [mmcv_ops.nms(boxes.to(d), scores.to(d), 0.5, 0) for d in ("cpu", GPU)]
    assert kept[1].device.type == "cuda" and torch.equal(kept[0], kept[1].cpu())
    features = torch.randn(1, 4, 32, 32)
    rois = torch.cat([torch.zeros(200, 1), boxes], dim=1)
    pooled = [roi_align(features.to(d), rois.to(d), 7, 0.5, 2, "avg", True) for d in ("cpu", GPU)]
    assert_close(*pooled)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("regions", [(3, 0), (0, 0)])
def test_every_weight_of_a_detector_learns(recipe: str, regions: tuple[int, ...]) -> None:
    model = build(f"{recipe}_r18_shapes", make_vocabulary(6)).to(GPU)
    loss, logged = losses_of(model, batch(regions))
    loss.backward()
    assert loss.isfinite() and loss.device.type == "cuda"
    assert all(torch.isfinite(torch.as_tensor(value)).all() for value in logged.values())
    if regions == (3, 0):
        assert not without_gradient(model)


@pytest.mark.parametrize(
    "terms",
    [
        [dict(type="PixelWordTerm")],
        [dict(type="PixelWordTerm"), dict(type="PixelEmbeddingTerm")],
        [dict(type="PseudoLabelTerm", self_training_after=1)],
        [dict(type="PixelWordTerm"), dict(type="ViLDTerm")],
    ],
)
def test_losses_of_a_segmentor_are_those_of_the_cpu(terms: list[dict[str, Any]]) -> None:
    vocabulary, data, teacher = make_vocabulary(6), small.labelled_batch(), small.dense_teacher()
    model = small.build(vocabulary, distillers=terms)
    losses = []
    for device in ("cpu", GPU):
        own = deepcopy(model).to(device)
        teacher.teacher.to(device)
        own.set_dense_teacher(teacher)
        loss, _ = losses_of(own, deepcopy(data))
        loss.backward()
        assert not without_gradient(own)
        losses.append(loss.detach())
    assert_close(*losses, tolerance=1e-3)


def test_masks_are_pasted_alike() -> None:
    corner = torch.rand(40, 2) * 60 - 10
    boxes = torch.cat([corner, corner + torch.rand(40, 2) * 50 + 1], dim=1)  # some leave the image
    logits = torch.randn(40, 28, 28)
    expected = paste_masks(logits, boxes, (70, 90))
    found = paste_masks(logits.to(GPU), boxes.to(GPU), (70, 90))
    assert expected.sum() > 1000 and (found.cpu() != expected).sum() <= 5  # of rounding


def test_a_detector_finds_the_same() -> None:
    cpu, gpu = (
        Detector.from_pretrained(device=d).predict(SAMPLE_IMAGE, TEXT) for d in ("cpu", "cuda")
    )
    assert len(cpu) and gpu.names == cpu.names
    np.testing.assert_allclose(gpu.scores, cpu.scores, atol=1e-3)
    np.testing.assert_allclose(gpu.boxes, cpu.boxes, atol=0.05)
    np.testing.assert_allclose(gpu.embeddings, cpu.embeddings, atol=1e-3)
    assert (gpu.masks == cpu.masks).mean() > 0.9995


def test_a_detector_answers_other_names() -> None:
    detector = Detector.from_pretrained(device="cuda")
    seen = detector.predict(SAMPLE_IMAGE, "ring")
    again, whole = detector.requery(seen, TEXT), detector.predict(SAMPLE_IMAGE, TEXT)
    assert again.names == whole.names
    np.testing.assert_allclose(again.scores, whole.scores, atol=1e-5)


def test_half_precision_finds_the_same() -> None:
    full, half = (
        Detector.from_pretrained(device="cuda", half=half).predict(SAMPLE_IMAGE, TEXT)
        for half in (False, True)
    )
    assert half.names == full.names
    assert np.abs(half.scores - full.scores).max() < 0.05
    iou = box_iou(torch.from_numpy(half.boxes), torch.from_numpy(full.boxes)).diagonal()
    assert iou.min() > 0.95


def test_a_segmentor_names_the_same_pixels(tmp_path: Path) -> None:
    checkpoint = save_untrained_segmentor(tmp_path)
    cpu, gpu = (
        Segmentor.from_pretrained(
            SEGMENTOR_CONFIG, checkpoint, device=d, teacher=TextsByLength()
        ).predict(SAMPLE_IMAGE, "a star, ring, a red cross", background=None)
        for d in ("cpu", "cuda")
    )
    assert (cpu.labels == gpu.labels).mean() > 0.999


@pytest.fixture(scope="module")
def teachers() -> list[Teacher]:
    return [build_teacher(dict(model="ovshapes"), d) for d in ("cpu", GPU)]


@pytest.mark.parametrize(
    "regions", [dict(mode="crops"), dict(mode="dense"), dict(mode="dense", stage=3)]
)
def test_a_teacher_embeds_the_same(teachers: list[Teacher], regions: dict[str, Any]) -> None:
    image = torch.from_numpy(read_image(SAMPLE_IMAGE)).permute(2, 0, 1)
    boxes = torch.tensor([[5.0, 5.0, 60.0, 70.0], [30.0, 10.0, 90.0, 50.0]])
    policy = region_policy(regions)
    with torch.no_grad():
        assert_close(*(teacher.encode_text(["a ring", "a star"]) for teacher in teachers))
        found = [teacher.encode_regions(image, boxes, policy=policy) for teacher in teachers]
    assert_close(*found)


def test_a_teacher_is_trained(tmp_path: Path) -> None:
    config = tiny.config(tmp_path)
    tiny.write_pairs(tmp_path)
    cpu, gpu = (first_losses(config, tmp_path / name) for name in ("cpu", "cuda"))
    assert cpu and gpu.keys() == cpu.keys()
    for key, value in cpu.items():
        assert gpu[key] == pytest.approx(value, rel=1e-3)


def first_losses(config: dict[str, Any], folder: Path) -> dict[str, float]:
    """The losses of a training's first step on the device that the folder is named after."""
    run_training(config, folder, torch.device(folder.name))
    records = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    step = next(record for record in records if record.get("step") == 1 and "rate" in record)
    return {key: value for key, value in step.items() if key.startswith("loss")}
