"""Refining: it learns what it should, leaves alone what it should, and goes on where it stopped."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from ovdistill.commands import main
from ovdistill.core.errors import DivergedError, UserError
from ovdistill.core.images import read_image
from ovdistill.teacher import CropPolicy, DenseRegions, build_teacher
from ovdistill.teacher.teacher import hash_weights
from ovdistill.teacher.teacher_folder import config_of_teacher
from ovdistill.teacher_training.refine import result
from ovdistill.teacher_training.refine.refiner import Refiner, RefineSettings
from ovdistill.teacher_training.refine.sources import Sample, UnlabelledImages
from ovdistill.teacher_training.settings import TrainingSettings

CROPS = CropPolicy(scales=(1.0,), shape="squash")
TRAINING = TrainingSettings(
    steps=6, batch=2, learning_rate=1e-3, warm_up=0, checkpoint_every=2, keep_checkpoints=9
)
SETTINGS = RefineSettings(TRAINING, DenseRegions(128))


@pytest.fixture(scope="module")
def teacher():
    return build_teacher(dict(model="ovshapes", crops=CROPS))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Images of two sizes."""
    folder = tmp_path_factory.mktemp("images")
    generator = np.random.default_rng(0)
    paths = [folder / f"{number}.png" for number in range(4)]
    for number, path in enumerate(paths):
        size = (96, 64) if number % 2 else (64, 64)
        small = generator.integers(0, 256, (5, 5, 3), np.uint8)
        Image.fromarray(small).resize(size, Image.BICUBIC).save(path)
    return paths


def weights(refiner):
    return {name: value.clone() for name, value in refiner.model.state_dict().items()}


def test_dense_features_come_to_agree_with_crops(teacher, files, tmp_path):
    training = replace(TRAINING, steps=12, batch=4, checkpoint_every=100)
    refiner = Refiner(
        teacher, UnlabelledImages(files), replace(SETTINGS, training=training), tmp_path
    )
    before = {name: value.clone() for name, value in teacher.model.state_dict().items()}
    refiner.run()
    assert len(refiner.losses) == 12
    assert sum(refiner.losses[-3:]) < 0.9 * sum(refiner.losses[:3])
    after = weights(refiner)
    for name, value in teacher.model.state_dict().items():
        assert torch.equal(value, before[name])  # the target is frozen
        if not name.startswith("visual."):
            assert torch.equal(value, after[name])  # texts are unchanged
    assert not torch.equal(after["visual.conv1.weight"], before["visual.conv1.weight"])
    # queries and keys have no part in dense features
    name = "visual.attnpool.q_proj.weight"
    assert torch.equal(after[name], before[name])


def test_regions_after_a_stage_come_to_agree_with_crops(teacher, files, tmp_path):
    regions = DenseRegions(128, stage=3)
    training = replace(TRAINING, steps=12, batch=4, checkpoint_every=100)
    refiner = Refiner(teacher, UnlabelledImages(files), RefineSettings(training, regions), tmp_path)
    before = weights(refiner)
    refiner.run()
    assert sum(refiner.losses[-3:]) < 0.9 * sum(refiner.losses[:3])
    after = weights(refiner)
    name = "visual.attnpool.q_proj.weight"  # each region is pooled by the tower itself
    assert not torch.equal(after[name], before[name])
    assert (refiner.state()["size"], refiner.state()["stage"]) == (128, 3)


@pytest.mark.parametrize("stage", [None, 2])
def test_the_loss_of_a_step_is_the_mean_over_all_boxes(teacher, files, tmp_path, stage):
    """Also where images of two sizes share no pass."""
    settings = replace(SETTINGS, regions=DenseRegions(128, stage))
    refiner = Refiner(teacher, UnlabelledImages(files), settings, tmp_path)
    images = [torch.from_numpy(read_image(path)).permute(2, 0, 1) for path in files[:2]]
    boxes = torch.tensor([[0.0, 0, 30, 30], [10, 5, 60, 60], [0, 0, 64, 64]])
    own = [boxes[:1], boxes]
    crops = teacher.encode_regions(images, own)
    dense = teacher.encode_regions(images, own, policy=DenseRegions(128, stage))
    expected = (1 - (crops * dense).sum(dim=1)).mean()
    samples = [Sample(image, boxes) for image, boxes in zip(images, own, strict=True)]
    assert refiner._backward(samples) == pytest.approx(expected.item(), abs=1e-4)
    assert refiner.model.visual.conv1.weight.grad.abs().sum() > 0


def test_an_interrupted_run_ends_like_one_in_a_piece(teacher, files, tmp_path):
    whole = Refiner(teacher, UnlabelledImages(files), SETTINGS, tmp_path / "whole")
    whole.run()
    cut = Refiner(teacher, UnlabelledImages(files), SETTINGS, tmp_path / "cut")
    for _ in range(5):
        cut.make_step()
        if cut.step == 4:
            cut._save()
    again = Refiner(teacher, UnlabelledImages(files), SETTINGS, tmp_path / "cut")
    assert again.step == 4
    again.run()
    expected = weights(whole)
    assert all(torch.equal(value, expected[name]) for name, value in weights(again).items())
    rarely = replace(SETTINGS, training=replace(TRAINING, checkpoint_every=5, log_every=3))
    assert Refiner(teacher, UnlabelledImages(files), rarely, tmp_path / "cut").step == 6
    other = replace(SETTINGS, regions=DenseRegions(64))
    with pytest.raises(UserError, match="size 128 there, 64 now"):
        Refiner(teacher, UnlabelledImages(files), other, tmp_path / "cut")


def test_what_cannot_be_refined(teacher, files, tmp_path):
    half = build_teacher(dict(model="ovshapes", precision="bf16"))
    with pytest.raises(UserError, match="bf16"):
        Refiner(half, UnlabelledImages(files), SETTINGS, tmp_path)
    fast = replace(SETTINGS, training=replace(TRAINING, learning_rate=1e30))
    with pytest.raises(DivergedError, match="--lr"):
        Refiner(teacher, UnlabelledImages(files), fast, tmp_path).run()


def test_images_that_cannot_be_read_are_skipped_and_counted(teacher, files, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(files[0].read_bytes()[:60])
    source = UnlabelledImages([broken, *files[:2]])
    with pytest.raises(UserError, match="broken.png.*--max-bad-images"):
        Refiner(teacher, source, SETTINGS, tmp_path / "first").run()
    allowed = replace(SETTINGS, training=replace(TRAINING, max_bad_images=1))
    refiner = Refiner(teacher, source, allowed, tmp_path / "second")
    refiner.run()
    assert [*refiner.bad_images.problems()] == [str(broken)]
    assert len(refiner.losses) == TRAINING.steps


def test_an_end_while_the_result_is_written_loses_nothing(teacher, files, tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    refiner = Refiner(teacher, UnlabelledImages(files), SETTINGS, tmp_path)
    refiner.run()
    with monkeypatch.context() as patched, pytest.raises(OSError):
        patched.setattr(result, "write_weights", full)
        result.write_refined(refiner, config_of_teacher(teacher, "r"), tmp_path)
    assert not (tmp_path / "open_clip_config.json").exists()
    again = Refiner(teacher, UnlabelledImages(files), SETTINGS, tmp_path)
    assert again.step == TRAINING.steps
    (tmp_path / "checkpoints" / "mine.pth").touch()
    result.write_refined(again, config_of_teacher(teacher, "r"), tmp_path)
    assert build_teacher(dict(model=str(tmp_path))).name == "r"
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["mine.pth"]


def test_the_command_writes_an_ordinary_teacher(teacher, files, tmp_path, capsys):
    out = tmp_path / "refined"
    words = ["teacher", "refine", "--teacher", "ovshapes", "--images", str(files[0].parent)]
    words += ["--size", "96", "--stage", "3", "--steps", "2", "--batch", "2", "--lr", "1e-3"]
    words += ["--device", "cpu"]
    assert not main.run([*words, "-o", str(out)])
    assert "ovshapes-rn-refined" in capsys.readouterr().out
    refined = build_teacher(dict(model=str(out)))
    digest = hash_weights(refined.model.state_dict())[:6]
    assert refined.name == f"ovshapes-rn-refined-{digest}" and not refined.id.is_same(teacher.id)
    texts = ["a red star", "a ring"]
    torch.testing.assert_close(refined.encode_text(texts), teacher.encode_text(texts))
    assert refined.whole_image == teacher.whole_image and refined.interpolation == "bilinear"
    stated = json.loads((out / "provenance.json").read_text())
    assert (stated["method"], stated["size"], stated["steps"]) == ("CLIPSelf", 96, 2)
    assert stated["stage"] == 3 and refined.refined_for == DenseRegions(96, stage=3)
    assert not (out / "checkpoints").exists()
    with pytest.raises(UserError, match="already"):
        main.run([*words, "-o", str(out)])
    with pytest.raises(UserError, match="--images"):
        main.run([*words[:4], "--images", str(tmp_path / "none"), "-o", str(out)])
