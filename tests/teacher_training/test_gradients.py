"""Gradients in parts are those of the whole batch, and two processes have those of one."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from ovdistill.teacher_training.batch import LabelledBoxes, TrainingBatch
from ovdistill.teacher_training.gradients import (
    GradientComputer,
    average_gradients,
    fixed_statistics,
)
from ovdistill.teacher_training.objective import TowerObjective
from ovdistill.teacher_training.objectives import (
    ImageTextContrastive,
    ImageTextLabelContrastive,
    MaskedImage,
)
from ovdistill.teacher_training.open_clip_towers import OpenCLIPTowers
from ovdistill.teacher_training.parts import split_batch
from ovdistill.teacher_training.towers import Towers

from ..distillation.ranks import run_on_ranks
from . import tiny


class ReadBack(TowerObjective):
    """Tells an image's brightness from its feature map, with a layer of its own."""

    needs: ClassVar[tuple[str, ...]] = ("images",)

    def set_towers(self, towers: Towers) -> None:
        self.head = nn.Linear(towers.image_width, 1)

    def forward(self, batch: TrainingBatch, towers: Towers) -> dict[str, Tensor]:
        found = self.head(towers.image_map(batch.images).mean(dim=(2, 3)))[:, 0]
        return {"loss_read_back": (found - batch.images.mean(dim=(1, 2, 3))).square().mean()}


def gradients(
    rows: slice = slice(None), part: int | None = None, towers: OpenCLIPTowers | None = None
) -> tuple[dict[str, Tensor], dict[str, float]]:
    """Gradients by name and losses of some rows of a batch, with three objectives."""
    built = towers or tiny.towers()
    whole = tiny.batch(built)
    labels = torch.tensor([0, 1, -1, -1, 0, 1, -1, 2])
    batch = TrainingBatch(whole.images[rows], whole.tokens[rows], labels[rows])
    torch.manual_seed(0)
    objectives = [ImageTextContrastive(0.5), ImageTextLabelContrastive(2.0), ReadBack(0.3)]
    for objective in objectives:
        objective.set_towers(built)
    losses = GradientComputer(built, objectives, part)(batch)
    named = {**dict(built.named_parameters()), **dict(objectives[2].named_parameters())}
    average_gradients([*named.values()])
    found = {name: p.grad for name, p in named.items() if p.grad is not None}
    return found, {name: value.item() for name, value in losses.items()}


def assert_same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    """All gradients are those that are expected, to a millionth of the norm of all."""
    assert found.keys() == expected.keys()
    norm = torch.cat([value.flatten() for value in expected.values()]).norm()
    difference = torch.cat([(found[name] - value).flatten() for name, value in expected.items()])
    assert difference.norm() < 1e-6 * norm
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("part", [1, 2, 4])
def test_parts_have_the_gradient_of_the_whole(part: int) -> None:
    whole, losses = gradients()
    found, own = gradients(part=part)
    assert "model.logit_scale" in whole and "head.weight" in whole
    assert_same(found, whole)
    assert own == pytest.approx(losses, rel=1e-5)


def test_dropout_is_the_same_in_both_passes() -> None:
    def with_dropout() -> OpenCLIPTowers:
        built = tiny.towers()
        for block in built.model.visual.transformer.resblocks:
            block.attn.dropout = 0.5
        return built

    found, _ = gradients(part=4, towers=with_dropout())
    again, _ = gradients(part=4, towers=with_dropout())
    assert_same(again, found)
    # of one part alone the cached gradient is the plain one, which has the same dropout
    built, other = with_dropout(), with_dropout()
    batch = tiny.batch(built)
    cached = GradientComputer(built, [ImageTextContrastive()], 4)
    torch.manual_seed(3)
    cached._in_parts([batch], batch.labels)
    torch.manual_seed(3)
    torch.manual_seed(int(torch.randint(2**62, (1,))))
    GradientComputer(other, [ImageTextContrastive()])(batch)
    expected = {name: p.grad for name, p in other.named_parameters() if p.grad is not None}
    assert_same({name: p.grad for name, p in built.named_parameters()}, expected)


def _rank(folder: Path, rank: int) -> None:
    rows = slice(4 * rank, 4 * rank + 4)
    torch.save([gradients(rows, part)[0] for part in (None, 2)], folder / f"{rank}.pth")


def test_two_processes_have_the_gradient_of_one_with_the_whole_batch(tmp_path: Path) -> None:
    whole, _ = gradients()
    run_on_ranks(partial(_rank, tmp_path))
    for rank in (0, 1):
        for found in torch.load(tmp_path / f"{rank}.pth"):
            assert_same(found, whole)


def test_running_statistics_are_updated_once() -> None:
    built, other = tiny.towers(tiny.RESNET), tiny.towers(tiny.RESNET)
    batch = tiny.batch(built, count=4)
    GradientComputer(built, [ImageTextContrastive()], 2)(batch)
    with torch.no_grad():
        for part in split_batch(batch, 2):
            other.encode_images(part.images)
        with fixed_statistics(other):
            other.encode_images(batch.images)
    for name, value in other.named_buffers():
        torch.testing.assert_close(dict(built.named_buffers())[name], value)


def test_bfloat16_is_near() -> None:
    built, other = tiny.towers(), tiny.towers()
    batch = tiny.batch(built)
    full = GradientComputer(built, [ImageTextContrastive()])(batch)["loss_image_text"]
    half = GradientComputer(other, [ImageTextContrastive()], precision="bf16")(batch)
    assert half["loss_image_text"] != full
    assert half["loss_image_text"].item() == pytest.approx(full.item(), rel=0.05)
    assert all(p.grad is None or p.grad.dtype == torch.float32 for p in other.parameters())


def test_boxes_go_with_their_images() -> None:
    boxes = LabelledBoxes(
        boxes=torch.arange(12.0).reshape(3, 4),
        image_index=torch.tensor([0, 3, 3]),
        phrases=torch.tensor([[5, 6], [7, 8]]),
        phrase_index=torch.tensor([0, 1, 1]),
    )
    batch = TrainingBatch(torch.zeros(4, 3, 2, 2), torch.zeros(4, 2), torch.zeros(4), boxes=boxes)
    first, second = split_batch(batch, 2)
    assert first.boxes.image_index.tolist() == [0] and first.boxes.phrases.tolist() == [[5, 6]]
    assert second.boxes.image_index.tolist() == [1, 1]
    assert second.boxes.phrases.tolist() == [[7, 8]]
    assert second.boxes.phrase_index.tolist() == [0, 0]
    assert split_batch(batch, 1)[1].boxes is None


@pytest.mark.parametrize("part", [None, 4])
@pytest.mark.parametrize("beside", [[], [ImageTextContrastive]])
def test_running_statistics_are_those_of_whole_images(part: int | None, beside: list) -> None:
    """Hidden squares stay out of them, and whole images are shown where no objective does."""
    built = tiny.towers(tiny.RESNET)
    batch = tiny.batch(built)
    objectives = [MaskedImage(ratio=1.0, square=4), *(each() for each in beside)]
    for objective in objectives:
        objective.set_towers(built)
    norm = built.model.visual.bn1
    expected = norm.running_mean.fill_(1).clone()
    GradientComputer(built, objectives, part)(batch)
    for images in batch.images.split(part or 8):
        with torch.no_grad():
            mean = built.model.visual.conv1(images).mean(dim=(0, 2, 3))
        expected = (1 - norm.momentum) * expected + norm.momentum * mean
    torch.testing.assert_close(norm.running_mean, expected)
