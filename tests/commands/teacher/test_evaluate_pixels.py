"""`ovdistill teacher evaluate --segmentation` on a few images of OVShapes."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ovdistill.commands import main
from ovdistill.commands.config_maps import config_label_maps
from ovdistill.core.errors import UserError
from ovdistill.core.images import read_image
from ovdistill.datasets.build_vocabulary import encode_names
from ovdistill.models.config import load_config
from ovdistill.ovshapes.generate import make_ovshapes
from ovdistill.segmentation.data.record_maps import load_maps
from ovdistill.segmentation.dense_teacher import DenseTeacher
from ovdistill.segmentation.zero_shot import zero_shot_segmentation
from ovdistill.teacher import build_teacher
from ovdistill.vocabulary import Vocabulary

RECIPE = "lseg_r18_shapes"
IMAGES = 4


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shapes")
    return make_ovshapes(folder, train=1, val=IMAGES, test=1, workers=1)


@pytest.fixture(scope="module")
def vocabulary(root, tmp_path_factory):
    """The file of the recipe's names, so that they are embedded once."""
    config = load_config(RECIPE, dict(data_root=str(root)))
    step = config.prepare.vocabulary
    teacher = build_teacher(config.teacher)
    path = tmp_path_factory.mktemp("names") / "names.safetensors"
    encode_names(step.names, lambda: teacher, split=step.split).save(path)
    return path


@pytest.fixture(scope="module")
def maps(root, vocabulary):
    """The label maps of the val images, as the recipe reads them."""
    config = load_config(RECIPE, dict(data_root=str(root)))
    return config_label_maps(config, "val", vocabulary)


@pytest.fixture(scope="module")
def folders(maps, vocabulary, tmp_path_factory) -> Path:
    """The same label maps and images as files: value 1 is the first class name, and so on."""
    folder = tmp_path_factory.mktemp("files")
    for name in ("maps", "images"):
        (folder / name).mkdir()
    for record in maps.records:
        name = f"{record['img_id']}.png"
        Image.fromarray((load_maps(record)[0] + 1).astype(np.uint8)).save(folder / "maps" / name)
        shutil.copy(record["img_path"], folder / "images" / name)
    lines = [f"{value}\t{name}" for value, name in enumerate(maps.names, 1)]
    (folder / "table.tsv").write_text("\n".join(lines))
    return folder


def evaluate(out: Path, *words: object) -> dict:
    options = ["--segmentation", *map(str, words), "-o", str(out)]
    assert not main.run(["teacher", "evaluate", *options])
    return json.loads((out / "teacher.json").read_text())


def of_recipe(root: Path) -> list[object]:
    return ["--config", RECIPE, "--cfg-options", f"data_root={root}"]


def of_files(folders: Path) -> list[object]:
    files = ["--label-maps", folders / "maps", "--images", folders / "images"]
    return ["--config", RECIPE, *files, "--label-table", folders / "table.tsv"]


def test_the_figures_are_those_of_the_label_maps(root, vocabulary, maps, tmp_path, capsys):
    """IoU by hand: all pixels of all images in one comparison for each class."""
    before = {*root.rglob("*")}
    words = ["--vocabulary", vocabulary, "--dense-scale", 2, "--per-class"]
    found = evaluate(tmp_path, *of_recipe(root), *words)
    assert {*root.rglob("*")} == before  # nothing is made beside the data
    teacher = DenseTeacher(build_teacher(load_config(RECIPE).teacher), scale=2)
    truth, predicted = [], []
    for record in maps.records:
        pixels = torch.from_numpy(read_image(record["img_path"])).permute(2, 0, 1)
        predicted.append(zero_shot_segmentation(teacher, pixels, Vocabulary.load(vocabulary))[0])
        truth.append(torch.from_numpy(load_maps(record)[0]))
    first, second = torch.stack(truth), torch.stack(predicted)
    both = [(first == row, second == row) for row in range(len(maps.names))]
    iou = [float(100 * (a & b).sum() / (a | b).sum()) for a, b in both]
    figures = found["figures"]
    assert (figures["images"], figures["names"], figures["novel_names"]) == (IMAGES, 66, 15)
    assert [own["IoU"] for own in figures["classes"]] == pytest.approx(
        [None if np.isnan(value) else value for value in iou]
    )
    semantic = figures["semantic"]
    assert semantic["mIoU"] == pytest.approx(np.nanmean(iou))
    assert semantic["uIoU"] == pytest.approx(np.nanmean(np.array(iou)[~np.array(maps.is_base)]))
    assert semantic["pAcc"] == pytest.approx(100 * float((first == second).float().mean()))
    assert semantic["pAcc"] > 4  # three times that of chance
    assert found["dense_scale"] == 2 and found["subset"] == "val" and len(found["novel"]) == 15
    printed, text = capsys.readouterr().out, (tmp_path / "teacher.md").read_text()
    printed = " ".join(printed.split())  # titles of tables are wrapped
    for shown in ("among 66 names, 15 of them novel", "uIoU", f"{IMAGES} of {IMAGES} images"):
        assert shown in printed and shown in text
    for own in figures["classes"]:
        assert (f"| {own['name']} |" in text) == (own["IoU"] is not None)


def test_folders_have_the_figures_of_the_recipe(root, vocabulary, folders, tmp_path):
    """An image of 128 pixels has 256 at twice its size."""
    words = ["--vocabulary", vocabulary, "--dense-size", 256, "--smooth", "--denoise", 0.1]
    found = evaluate(tmp_path / "files", *of_files(folders), *words)
    words[2:4] = ["--dense-scale", 2]
    same = evaluate(tmp_path / "recipe", *of_recipe(root), *words)
    assert found["figures"] == same["figures"]
    assert found["label_table"] == str(folders / "table.tsv") and found["smooth"]
    words = ["--vocabulary", vocabulary, "--dense-scale", 2]
    plain = evaluate(tmp_path / "plain", *of_files(folders), *words)
    assert plain["figures"] != same["figures"]


KEPT = ("background", "solid circle")


def test_names_and_split_of_the_options(folders, tmp_path, capsys):
    """A table with two of the names: pixels of the others are ignored."""
    lines = (folders / "table.tsv").read_text().splitlines()
    kept = [line if line.endswith(KEPT) else f"{line.split()[0]}\t-" for line in lines]
    (tmp_path / "table.tsv").write_text("\n".join(kept))
    words = ["--teacher", "ovshapes", *of_files(folders)[2:-1], tmp_path / "table.tsv"]
    words += ["--novel", "background"]
    found = evaluate(tmp_path, *words, "--max-images", 3)
    assert found["novel"] == ["background"] and found["figures"]["names"] == 2
    assert found["figures"]["images"] == 3 and "3 of 4 images" in capsys.readouterr().out


def test_what_cannot_be(folders, tmp_path):
    files = of_files(folders)
    for words, message in (
        (["--config", RECIPE, "--crops", "own"], "--crops with --segmentation"),
        (["--config", RECIPE, "--no-probe", "--workers", 0], "--no-probe, --workers with"),
        (["--config", RECIPE, "--folder", tmp_path], "--segmentation and --folder"),
        (["--config", RECIPE, "--label-table", "voc"], "expected all three"),
        (["--teacher", "ovshapes"], "expected all three"),
        ([*files, "--dense-size", 64, "--dense-scale", 2], "--dense-size and --dense-scale"),
        ([*files[:-1], "vox"], "no label table 'vox'"),
        ([*files, "--subset", "test"], "--subset with --label-maps"),
        ([*files, "--label-maps", tmp_path / "none"], "--label-maps .*none"),
        (["--config", "vild_r18_shapes"], "no label maps"),
    ):
        with pytest.raises(UserError, match=message):
            evaluate(tmp_path, *words)
    with pytest.raises(UserError, match="--smooth without --segmentation"):
        main.run(["teacher", "evaluate", "--config", RECIPE, "--smooth"])
