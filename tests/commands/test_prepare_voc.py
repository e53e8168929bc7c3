"""`ovdistill prepare-voc`: one list of VOC becomes one file in COCO's format."""

import json

import pytest

from ovdistill.commands import main
from ovdistill.core.errors import UserError
from ovdistill.datasets.names import read_names
from ovdistill.vocabulary import base_mask

IMAGE = """<annotation><filename>{name}.jpg</filename>
<size><width>353</width><height>500</height><depth>3</depth></size>{objects}</annotation>"""
OBJECT = """<object><name>{name}</name><difficult>0</difficult>
<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object>"""


@pytest.fixture
def root(tmp_path):
    """Two images: one with three objects, one empty."""
    folder = tmp_path / "VOC2007"
    (folder / "ImageSets" / "Main").mkdir(parents=True)
    (folder / "Annotations").mkdir()
    (folder / "ImageSets" / "Main" / "test.txt").write_text("000001\n000002\n")
    names = ("person", "diningtable", "tvmonitor")
    objects = "".join(OBJECT.format(name=name) for name in names)
    for name, content in (("000001", objects), ("000002", "")):
        text = IMAGE.format(name=name, objects=content)
        (folder / "Annotations" / f"{name}.xml").write_text(text)
    return folder


def test_the_file_has_names_that_a_teacher_can_encode(root, tmp_path, capsys):
    out = tmp_path / "made" / "test.json"
    main.run(["prepare-voc", str(root), "-o", str(out)])
    assert "2 images, 3 objects" in capsys.readouterr().out
    names = read_names(out)
    assert len(names) == 20 and names.ids == tuple(range(1, 21))
    assert names.names[10] == "dining table" and names.names[-1] == "tv monitor"
    assert base_mask(names.names, None, []).all()
    by_id = dict(zip(names.ids, names.names, strict=True))
    found = [by_id[a["category_id"]] for a in json.loads(out.read_text())["annotations"]]
    assert found == ["person", "dining table", "tv monitor"]


def test_a_file_is_replaced_on_request_only(root, tmp_path):
    words = ["prepare-voc", str(root), "-o", str(tmp_path / "mine.json")]
    (tmp_path / "mine.json").write_text("kept")
    with pytest.raises(UserError, match=r"mine.json.*--force"):
        main.run(words)
    assert (tmp_path / "mine.json").read_text() == "kept"
    main.run([*words, "--force"])
    assert len(read_names(tmp_path / "mine.json")) == 20


def test_a_list_that_is_not_there(root, tmp_path):
    with pytest.raises(UserError, match="trainval.txt"):
        main.run(["prepare-voc", str(root), "--image-set", "trainval", "-o", str(tmp_path / "x")])
    assert not (tmp_path / "x").exists()
