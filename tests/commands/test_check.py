"""`ovdistill check`: a report, an exit code, and a clean file."""

import json

import numpy as np
import pytest

from ovdistill.commands import main
from ovdistill.core.errors import UserError
from ovdistill.core.images import write_image
from ovdistill.datasets.annotations import read_annotations
from ovdistill.datasets.annotations.report import Effect


def content() -> dict:
    outline = [5, 5, 14, 5, 14, 14]
    label = dict(bbox=[5, 5, 9, 9], area=81, iscrowd=0, segmentation=[outline])
    return dict(
        info=dict(year=""),
        licenses=[],
        images=[dict(id=n, file_name=f"{n}.png", width=40, height=30) for n in (1, 2)],
        annotations=[dict(id=n, image_id=1, category_id=n, **label) for n in (1, 2)],
        categories=[dict(id=1, name="cup"), dict(id=2, name="boat")],
    )


def broken() -> dict:
    """A file with most kinds of problems."""
    data = content()
    first = data["annotations"][0]
    data["annotations"] += [
        first | changes
        for changes in (
            *(dict(id=2), dict(id=None), dict(bbox=[1, 1, 0, 0]), dict(image_id=9), dict(area=0)),
            *(
                dict(iscrowd="x"),
                dict(segmentation=[[1, 2]]),
                dict(segmentation=[1, 1, 5, 1, 5, 5]),
            ),
            dict(category_id="3", score=float("nan")),
        )
    ]
    data["images"].append(dict(id="x", file_name="sub\\3.png", width="40", height=30))
    data["images"][0]["neg_category_ids"] = [2, 3, 77]
    data["categories"].append(dict(id=3, name="\x1b[2JCup"))
    data["categories"].append(dict(id=4, name="Boat"))
    return data


@pytest.fixture
def file(tmp_path):
    return tmp_path / "ann.json"


def check(file, data: dict, *options: object) -> int:
    file.write_text(json.dumps(data))
    return main.run(["check", str(file), *map(str, options)])


def test_a_file_without_problems(file, capsys):
    assert check(file, content()) == 0
    printed = capsys.readouterr().out
    assert "2 images, 2 annotations" in printed and "'boat': 1 annotations in 1" in printed
    assert "no problems" in printed


def test_what_does_no_harm_is_said_and_no_error(file, capsys):
    data = content()
    data["annotations"][0].pop("area")
    assert check(file, data) == 0
    assert "harmless: 1 areas are missing" in capsys.readouterr().out


def test_problems_are_counted_with_an_example(file, capsys, caplog):
    assert check(file, broken()) == 1
    printed = capsys.readouterr().out
    for fact in ("left out: 1 annotations have an image_id", "image_id 9", "changed: 1 areas"):
        assert fact in printed
    assert "\x1b" not in printed and not caplog.records


def test_the_clean_file_has_no_problems(file, tmp_path, capsys):
    out = tmp_path / "clean.json"
    assert check(file, broken(), "--fix", out) == 0
    before, after = read_annotations(file), read_annotations(out)
    matters = (Effect.LEFT_OUT, Effect.CHANGED, Effect.DOUBTFUL)
    assert before.report.of(*matters) and not after.report.of(*matters)
    assert len(after.annotations) == len(before.annotations)
    assert [*after.categories] == ["cup", "boat", "\x1b[2JCup"]  # 'Boat' is 'boat'
    ids = [record["id"] for record in after.annotations]
    assert ids == [*range(1, len(ids) + 1)]
    assert after.header == dict(info=dict(year=""), licenses=[])
    capsys.readouterr()
    assert check(out, json.loads(out.read_text())) == 0
    with pytest.raises(UserError, match="--force"):
        check(file, broken(), "--fix", out)


def test_images_with_one_file_stay_in_the_clean_file(file, tmp_path):
    out = tmp_path / "clean.json"
    data = content()
    data["images"][1]["file_name"] = "1.png"
    assert check(file, data, "--fix", out) == 0
    clean = json.loads(out.read_text())
    assert [image["id"] for image in clean["images"]] == [1, 2]
    assert check(out, clean) == 1


def test_images_are_compared(file, tmp_path, capsys):
    for name in ("1.png", "2.png"):
        write_image(tmp_path / name, np.zeros((30, 40, 3), np.uint8))
    assert check(file, content(), "--images", tmp_path) == 0
    (tmp_path / "2.png").write_bytes(b"no image")
    assert check(file, content(), "--images", tmp_path) == 1
    assert "1 images cannot be read" in capsys.readouterr().out
    write_image(tmp_path / "2.png", np.zeros((31, 40, 3), np.uint8))
    with pytest.raises(UserError, match="40 x 31.*40 x 30"):
        check(file, content(), "--images", tmp_path)


def test_a_file_that_is_refused(file):
    with pytest.raises(UserError, match="no categories"):
        check(file, dict(images=[], annotations=[]))
