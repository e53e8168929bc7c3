"""`ovdistill prepare-segmentation`: what it finds in data sets that the tests draw."""

import numpy as np
import pytest

from ovdistill.commands import main
from ovdistill.core.errors import UserError

from ..segmentation.label_files import write_image

LISTS = "ImageSets/Segmentation"
# by data set: folders of images and of maps of val, and values of a map with how many of 8 pixels
DATA = {
    "voc": ("JPEGImages", "SegmentationClass", {0: 2, 15: 3, 17: 2, 255: 1}),
    "coco-stuff": ("val2017", "stuffthingmaps/val2017", {0: 3, 147: 2, 181: 2, 255: 1}),
    "ade20k": ("images/validation", "annotations/validation", {0: 2, 1: 3, 150: 3}),
}


def draw(root, kind, names=("a", "b")):
    images, maps, values = DATA[kind]
    pixels = np.repeat([*values], [*values.values()]).reshape(2, 4).astype(np.uint8)
    for name in names:
        write_image(root / images / f"{name}.jpg", np.zeros((2, 4, 3), np.uint8))
        write_image(root / maps / f"{name}.png", pixels, "P" if kind == "voc" else None)
    if kind == "voc":
        (root / LISTS).mkdir(parents=True)
        (root / LISTS / "val.txt").write_text("\n".join(names))
    return root


def lines_of(capsys) -> dict[str, list[str]]:
    """The cells of the rows of the printed table, by class."""
    rows = [line.split("│")[1:-1] for line in capsys.readouterr().out.splitlines() if "│" in line]
    return {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows}


@pytest.mark.parametrize(
    "kind, wanted",
    [
        (
            "voc",
            {
                "person": ["seen", "6", "37.50%"],
                "sheep": ["unseen", "4", "25.00%"],
                "(no class)": ["", "6", "37.50%"],
            },
        ),
        ("coco-stuff", {"person": ["seen", "6", "37.50%"], "river": ["unseen", "4", "25.00%"]}),
        ("ade20k", {"wall": ["seen", "6", "37.50%"], "flag": ["seen", "6", "37.50%"]}),
    ],
)
def test_pixels_of_classes_are_counted(tmp_path, capsys, kind, wanted):
    draw(tmp_path, kind)
    before = sorted(tmp_path.rglob("*"))
    main.run(["prepare-segmentation", kind, str(tmp_path), "--subset", "val"])
    assert wanted.items() <= lines_of(capsys).items()
    assert sorted(tmp_path.rglob("*")) == before  # nothing is written


def test_the_sample_is_a_part(tmp_path, capsys):
    draw(tmp_path, "ade20k", names="abcdefgh")
    main.run(["prepare-segmentation", "ade20k", str(tmp_path), "--sample", "3"])
    assert lines_of(capsys)["wall"] == ["seen", "9", "37.50%"]


def said_by(root, kind, *more):
    with pytest.raises(UserError) as caught:
        main.run(["prepare-segmentation", kind, str(root), *more])
    return str(caught.value)


def test_missing_files_are_named_with_their_source(tmp_path):
    draw(tmp_path, "voc")
    (tmp_path / "SegmentationClass/b.png").unlink()
    (tmp_path / "JPEGImages/a.jpg").unlink()
    said = said_by(tmp_path, "voc", "--subset", "val")
    assert "2 files are missing" in said and "VOCtrainval" in said
    assert "JPEGImages/a.jpg" in said and "SegmentationClass/b.png" in said


def test_what_cannot_be_used_is_named(tmp_path):
    draw(tmp_path, "ade20k")
    write_image(tmp_path / "annotations/validation/a.png", np.full((2, 4), 200, np.uint8))
    write_image(tmp_path / "annotations/validation/b.png", np.zeros((4, 4), np.uint8))
    said = said_by(tmp_path, "ade20k")
    assert "200 (8 pixels)" in said and "4 x 4" in said


@pytest.mark.parametrize(
    "kind, more, wanted",
    [
        ("ade20k", [], "annotations/training"),
        ("coco-stuff", ["--subset", "val"], "val2017"),
        ("voc", ["--subset", "trainaug"], "SBD"),
        ("voc", ["--subset", "test"], "'test'"),
    ],
)
def test_an_empty_folder(tmp_path, kind, more, wanted):
    assert wanted in said_by(tmp_path, kind, *more)


def test_an_empty_list(tmp_path):
    draw(tmp_path, "voc")
    (tmp_path / LISTS / "val.txt").write_text("")
    assert "val.txt" in said_by(tmp_path, "voc", "--subset", "val")
