"""`ovdistill extract`: a store from end to end, and what is refused before it begins."""

import json
import shutil

import cv2
import numpy as np
import pytest
import torch

from ovdistill.commands import main
from ovdistill.commands.extract.estimate import duration
from ovdistill.commands.extract.inputs import choose_rank_device
from ovdistill.core.assets import TEACHER_DIR
from ovdistill.core.errors import UserError
from ovdistill.extraction.teacher_origin import teacher_origin
from ovdistill.store import TeacherStore, plan


@pytest.fixture
def data(tmp_path):
    """Two images with their annotation file; the words that name them."""
    (tmp_path / "images").mkdir()
    rng = np.random.default_rng(0)
    for number in (1, 2):
        pixels = rng.integers(0, 255, (40, 60, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / "images" / f"{number}.png"), pixels)
    images = [dict(id=n, file_name=f"{n}.png", height=40, width=60) for n in (1, 2)]
    content = dict(images=images, annotations=[], categories=[dict(id=1, name="cat")])
    (tmp_path / "ann.json").write_text(json.dumps(content))
    return ["--images", tmp_path / "images", "--annotations", tmp_path / "ann.json"]


def extract(*words):
    return main.run(["extract", *map(str, words)])


def test_a_store_without_a_config(data, tmp_path, capsys):
    words = [*data, "--teacher", "ovshapes", "--proposals", "grid", "--workers", 0]
    assert not extract(
        *words, "-o", tmp_path / "store", "--per-image", 4, "--crop-scales", 1.0,
        "--crop-shape", "squash", "--shard-pictures", 1,
    )  # fmt: skip
    assert "is complete" in capsys.readouterr().out
    store = TeacherStore(tmp_path / "store")
    assert [len(store[image_id]) for image_id in store.image_ids] == [3, 3]  # one of each size
    assert len([*(tmp_path / "store").glob("shard-*")]) == 2  # of an image each


def test_regions_from_one_pass_over_an_image(data, tmp_path, capsys):
    words = [*data, "--teacher", "ovshapes", "--proposals", "grid", "--workers", 0]
    words += ["--per-image", 4, "--dense-size", 96, "-o", tmp_path / "store"]
    assert not extract(*words)
    assert "one pass of 96 pixels" in capsys.readouterr().out
    store = TeacherStore(tmp_path / "store")
    assert store.meta.provenance["crops"] == dict(mode="dense", size=96)
    with pytest.raises(UserError, match="--crop-shape"):
        extract(*words, "--crop-shape", "clip")


def test_regions_that_share_the_first_stages(data, tmp_path, capsys):
    words = [*data, "--teacher", "ovshapes", "--proposals", "grid", "--workers", 0]
    words += ["--per-image", 4, "--dense-stage", 3, "-o", tmp_path / "store"]
    with pytest.raises(UserError, match="--dense-stage 3 without --dense-size"):
        extract(*words)
    assert not extract(*words, "--dense-size", 96)
    assert "the stages after 3 each" in capsys.readouterr().out
    store = TeacherStore(tmp_path / "store")
    assert store.meta.provenance["crops"] == dict(mode="dense", size=96, stage=3)


def test_a_dry_run_keeps_nothing(data, tmp_path, capsys):
    words = [*data, "--teacher", "ovshapes", "--proposals", "random", "--workers", 0]
    assert not extract(*words, "-o", tmp_path / "store", "--per-image", 4, "--dry-run")
    assert "nothing was kept" in capsys.readouterr().out
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("shard", [1, 128])
def test_a_dry_run_of_several_processes(data, tmp_path, capsys, monkeypatch, shard):
    """The first one tries a few images for all; the others have nothing to wait for."""
    monkeypatch.setattr(plan, "SECONDS_TO_WAIT", 0.1)
    words = [*data, "--teacher", "ovshapes", "--proposals", "grid", "--workers", 0, "--dry-run"]
    words += ["-o", tmp_path / "store", "--shard-images", shard, "--launcher", "pytorch"]
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank in "01":
        monkeypatch.setenv("RANK", rank)
        monkeypatch.setenv("LOCAL_RANK", rank)
        assert not extract(*words, "--per-image", 3, "--device", "cpu")
        assert ("dry run: 2 images" in capsys.readouterr().out) == (rank == "0")
    assert not (tmp_path / "store").exists()


def test_the_files_of_the_teacher_are_noted(data, tmp_path):
    folder = shutil.copytree(TEACHER_DIR, tmp_path / "teacher")
    words = [*data, "--teacher", folder, "--proposals", "grid", "--workers", 0, "--per-image", 3]
    assert not extract(*words, "-o", tmp_path / "store")
    noted = teacher_origin(dict(model=folder))
    assert TeacherStore(tmp_path / "store").meta.origin == noted and noted


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        (["--config", "vild_r18_shapes", "--images", "x"], "--images"),
        (["--config", "vild_r18_shapes", "--allow-outside-images"], "--allow-outside-images"),
        (["--config", "vild_r18_shapes", "--vocabulary", "setup.py"], "--vocabulary"),
        (["--config", "vild_r18_shapes", "--network", "rpn_r50_lvis"], "--network"),
        (
            ["--config", "vild_r18_shapes", "--network", "rpn_r50_lvis", "--proposals", "gt"],
            "--network",
        ),
    ],
)
def test_options_without_effect(words, flag):
    with pytest.raises(UserError, match=f"got {flag}, which has no effect"):
        extract(*words)


def test_a_process_without_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert choose_rank_device("cuda", 1) == torch.device("cuda", 1)
    assert choose_rank_device("cuda:0", 1) == torch.device("cuda", 0)
    with pytest.raises(UserError, match="'cuda:2': torch finds 2 GPUs"):
        choose_rank_device("cuda", 2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "without --config"),
        (["--per-image", 0], "--per-image 0"),
        (["--batch-size", -1], "--batch-size -1"),
        (["--shard-pictures", 0], "--shard-images 0"),
        (["--config", "none"], "none"),
        (["--config", "vild_r18_shapes", "--annotations", "none"], "--annotations none"),
        (["--config", "vild_r18_shapes", "--annotations", "setup.py"], "--images None"),
        (["--config", "vild_r18_shapes", "--proposals", "none"], "--proposals none"),
        (["--config", "vild_r18_shapes", "--vocabulary", "none"], "--vocabulary none"),
        (["--config", "vild_r18_shapes", "--network", "none"], "none"),
        (["--config", "vild_r18_shapes", "--launcher", "pytorch"], "pytorch"),
    ],
)
def test_bad_input(words, message, monkeypatch):
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match=message):
        extract(*words)


def test_several_processes_do_not_train_the_proposal_network(tmp_path, monkeypatch):
    for name, value in (("RANK", "1"), ("WORLD_SIZE", "2"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    words = ["--config", "vild_r18_shapes", "--launcher", "pytorch", "--cfg-options"]
    words += [f"data_root={tmp_path}", "prepare.proposals.train=True"]
    with pytest.raises(UserError, match=r"2 processes.*\n +ovdistill prepare .*regions=None"):
        extract(*words, "prepare.proposals.published=None")
    assert not [*tmp_path.iterdir()]


def test_weights_need_the_config_they_fit(data, tmp_path):
    (tmp_path / "weights.pth").write_bytes(b"")
    words = ["--teacher", "ovshapes", "--proposals", tmp_path / "weights.pth"]
    with pytest.raises(UserError, match="--network"):
        extract(*data, *words, "-o", tmp_path / "store")


def test_labelled_boxes_need_a_vocabulary(data, tmp_path):
    words = ["--teacher", "ovshapes", "--proposals", "gt"]
    with pytest.raises(UserError, match="--vocabulary"):
        extract(*data, *words, "-o", tmp_path / "store")


def test_durations():
    assert [duration(s) for s in (40, 90, 7200)] == ["40 s", "1.5 min", "2.0 h"]
