"""`ovdistill teacher evaluate --folder`: whole images in a folder for each class."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ovdistill.commands import main
from ovdistill.commands.teacher_options import SHIPPED
from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import read_annotations
from ovdistill.ovshapes.generate import make_ovshapes
from ovdistill.teacher import build_teacher
from ovdistill.vocabulary import Vocabulary

SHAPES = ("star", "ring", "heart", "cross")
NOVEL = "heart, cross"


def cut_out(root: Path, subset: str, folder: Path) -> None:
    """Write a square crop of each object, in a folder for each of four shapes."""
    found = read_annotations(root / "annotations" / f"instances_{subset}.json")
    files = {image["id"]: root / "images" / image["file_name"] for image in found.images}
    names = {category["id"]: name for name, category in found.categories.items()}
    for record in found.annotations:
        shape = names[record["category_id"]].split()[-1]
        if shape in SHAPES:
            x, y, width, height = record["bbox"]
            half = max(width, height) / 2
            middle = (x + width / 2, y + height / 2)
            box = [middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half]
            path = folder / f"n{SHAPES.index(shape)}" / f"{record['id']}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.open(files[record["image_id"]]).convert("RGB").crop(box).save(path)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The folders train and val, and a table of names."""
    folder = tmp_path_factory.mktemp("crops")
    root = make_ovshapes(folder / "shapes", train=24, val=24, test=1, workers=1)
    for subset in ("train", "val"):
        cut_out(root, subset, folder / subset)
    rows = [f"n{place},{shape}" for place, shape in enumerate(SHAPES)]
    (folder / "names.csv").write_text("\n".join(["folder,name", *rows, "n9,arrow", ""]))
    return folder


@pytest.fixture
def words(folders):
    return ["--teacher", "ovshapes", "--folder", folders / "val", "--names", folders / "names.csv"]


def evaluate(*words: object) -> None:
    assert not main.run(["teacher", "evaluate", *map(str, words), "--workers", "0"])


def measured(folder: Path) -> dict:
    return json.loads((folder / "teacher.json").read_text())


def test_zero_shot_and_a_probe_of_other_images(words, folders, tmp_path, capsys):
    evaluate(*words, "--train-folder", folders / "train", "--novel", NOVEL, "-o", tmp_path)
    found, figures = measured(tmp_path), measured(tmp_path)["figures"]
    count = len([*(folders / "val").rglob("*.png")])
    assert figures["images"] == figures["objects"] == count
    assert (figures["names"], figures["novel_names"]) == (4, 2)
    (crops,) = figures["crops"]
    own = build_teacher(SHIPPED["ovshapes"]).whole_image.to_dict()
    assert crops["policy"] == own | dict(scales=list(own["scales"]), fill=list(own["fill"]))
    zero_shot = crops["zero_shot"]
    # told apart by names, base and novel, far above chance
    for group in ("everything", "base", "novel"):
        assert zero_shot[group]["top1"]["share"] > 0.6
    assert zero_shot["novel_alone"]["top1"]["count"] == zero_shot["novel"]["top1"]["count"] > 5
    probe = figures["probe"]
    assert probe["fitted"] == len([*(folders / "train").rglob("*.png")])
    assert probe["everything"]["count"] == count and probe["everything"]["share"] > 0.6
    assert figures["ceilings"] is figures["retrieval"] is None
    assert found["folder"] == str(folders / "val") and found["novel"] == ["heart", "cross"]
    printed, text = capsys.readouterr().out, (tmp_path / "teacher.md").read_text()
    for shown in ("whole image", "Linear probe", f"{count} of {count} images in 4 class folders"):
        assert shown in printed and shown in text
    assert "eiling" not in printed + text and "true boxes" not in printed + text


def test_the_figures_are_those_of_the_embeddings(words, folders, tmp_path):
    """Each image as the teacher's own preprocessing cuts it, against the names by hand."""
    evaluate(*words, "--no-probe", "-o", tmp_path)
    teacher = build_teacher(SHIPPED["ovshapes"])
    texts = Vocabulary.encode(SHAPES, teacher, ("a photo of {article} {}.",)).embeddings
    right = []
    for path in (folders / "val").rglob("*.png"):
        pixels = torch.from_numpy(np.array(Image.open(path))).permute(2, 0, 1)
        frame = torch.tensor([[0.0, 0.0, pixels.shape[2], pixels.shape[1]]])
        embedding = teacher.encode_regions(pixels, frame, policy=teacher.whole_image)
        right.append(int((embedding @ texts.T).argmax()) == int(path.parent.name[1:]))
    share = measured(tmp_path)["figures"]["crops"][0]["zero_shot"]["everything"]["top1"]["share"]
    assert share == pytest.approx(sum(right) / len(right))


def test_damaged_images_empty_folders_and_a_sample(folders, tmp_path, caplog, capsys):
    own = tmp_path / "own"
    for shape, place in (("star", 0), ("ring", 1)):
        (own / shape).mkdir(parents=True)
        for path in [*(folders / "val" / f"n{place}").iterdir()][:6]:
            (own / shape / path.name).write_bytes(path.read_bytes())
    (own / "ring" / "broken.png").write_bytes(b"no image")
    (own / "solid_heart").mkdir()
    count = len([*own.rglob("*.png")])
    evaluate("--teacher", "ovshapes", "--folder", own, "-o", tmp_path / "all")
    found = measured(tmp_path / "all")
    assert (found["figures"]["images"], found["figures"]["names"]) == (count - 1, 3)
    assert f"{count} images" in found["remarks"][0] and "solid_heart" in found["remarks"][0]
    assert f"1 of {count} images are left out" in caplog.text and "broken.png" in caplog.text
    evaluate("--teacher", "ovshapes", "--folder", own, "--max-images", 5, "-o", tmp_path / "five")
    assert measured(tmp_path / "five")["figures"]["probe"] is None  # of too few images
    assert f"5 of {count} images" in capsys.readouterr().out


def test_a_vocabulary_with_more_and_fewer_names(words, folders, tmp_path):
    teacher = build_teacher(SHIPPED["ovshapes"])
    file = tmp_path / "names.safetensors"
    Vocabulary.encode(("star", "ring", "arrow"), teacher, ("{}",)).save(file)
    evaluate(*words, "--vocabulary", file, "--no-probe", "-o", tmp_path)
    found = measured(tmp_path)
    counts = [own["objects"] for own in found["figures"]["crops"][0]["zero_shot"]["classes"]]
    files = [len([*(folders / "val" / f"n{place}").iterdir()]) for place in (0, 1)]
    assert counts == [*files, 0] and "2 are left out" in found["remarks"][0]
    Vocabulary.encode(("star", "arrow"), teacher, ("{}",)).save(file)
    with pytest.raises(UserError, match="the name of one class folder"):
        evaluate(*words, "--vocabulary", file)
    Vocabulary.encode(("arrow",), teacher, ("{}",)).save(file)
    with pytest.raises(UserError, match="none of the 1 class names"):
        evaluate(*words, "--vocabulary", file)


def test_what_cannot_be(words, folders, tmp_path):
    for options, message in (
        (["--crops", "own"], "--crops with --folder"),
        (["--subset", "test"], "--subset with --folder"),
        (["--captions", folders / "names.csv"], "--captions with --folder"),
        (["--train-folder", folders / "train", "--no-probe"], "--no-probe"),
        (["--train-folder", folders], "no class folder of .*one of the 4"),
        (["--train-folder", folders / "none"], "--train-folder .*no such folder"),
        (["--novel", "zebra"], "zebra"),
    ):
        with pytest.raises(UserError, match=message):
            evaluate(*words, *options)
    with pytest.raises(UserError, match="--names without --folder"):
        evaluate("--config", "vild_r18_shapes", "--names", folders / "names.csv")
    for name in ("a/x.png", "b/y.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    with pytest.raises(UserError, match="none of the 2 images could be read"):
        evaluate("--teacher", "ovshapes", "--folder", tmp_path)
