"""tools/prepare_voc.py: VOC's XML files become one file in COCO's format."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from ovdistill.core.errors import UserError
from ovdistill.datasets.category_names import read_names
from ovdistill.vocabulary import base_mask

SPEC = importlib.util.spec_from_file_location(
    "prepare_voc", Path(__file__).parents[1] / "tools" / "prepare_voc.py"
)
prepare_voc = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(prepare_voc)

IMAGE = """<annotation><filename>{name}.jpg</filename>
<size><width>353</width><height>500</height><depth>3</depth></size>{objects}</annotation>"""
OBJECT = """<object><name>{name}</name><difficult>{difficult}</difficult>{more}
<bndbox><xmin>{box[0]}</xmin><ymin>{box[1]}</ymin><xmax>{box[2]}</xmax><ymax>{box[3]}</ymax></bndbox>
</object>"""
PART = "<part><name>head</name><bndbox><xmin>9</xmin><ymin>9</ymin><xmax>9</xmax></bndbox></part>"


@pytest.fixture
def root(tmp_path):
    """A person with a part, a difficult table, a monitor of the whole image; an empty image."""
    folder = tmp_path / "VOC2007"
    (folder / "ImageSets" / "Main").mkdir(parents=True)
    (folder / "Annotations").mkdir()
    (folder / "ImageSets" / "Main" / "test.txt").write_text("000001\n2008_000002\n")
    objects = "".join(
        [
            OBJECT.format(name="person", difficult=0, more=PART, box=(8, 12, 352, 498)),
            OBJECT.format(name="diningtable", difficult=1, more="", box=(45.7, 2, 50.7, 9)),
            OBJECT.format(name="tvmonitor", difficult=0, more="", box=(1, 1, 353, 500)),
        ]
    )
    for name, content in (("000001", objects), ("2008_000002", "")):
        text = IMAGE.format(name=name, objects=content)
        (folder / "Annotations" / f"{name}.xml").write_text(text)
    return folder


def test_pixels_counted_from_one_with_both_edges(root):
    content = prepare_voc.convert(root, "test")
    person, table, monitor = content["annotations"]
    assert person["bbox"] == [7, 11, 345, 487] and person["area"] == 345 * 487
    assert monitor["bbox"] == [0, 0, 353, 500]
    assert table["bbox"] == pytest.approx([44.7, 1, 6, 8])
    assert content["images"] == [
        dict(id=1, file_name="000001.jpg", width=353, height=500),
        dict(id=2, file_name="2008_000002.jpg", width=353, height=500),
    ]
    assert {item["image_id"] for item in content["annotations"]} == {1}


def test_difficult_objects_are_crowds(root):
    annotations = prepare_voc.convert(root, "test")["annotations"]
    assert [item["iscrowd"] for item in annotations] == [0, 1, 0]


def test_names_are_words(root, monkeypatch, capsys):
    out = root / "made" / "test.json"
    monkeypatch.setattr(sys, "argv", ["prepare_voc.py", str(root), "-o", str(out)])
    prepare_voc.main()
    assert "2 images, 3 objects" in capsys.readouterr().out
    words = read_names(out)
    assert len(words) == 20 and words.ids == tuple(range(1, 21))
    assert words.names[10] == "dining table" and words.names[-1] == "tv monitor"
    assert base_mask(words.names, None, []).all()
    by_id = dict(zip(words.ids, words.names, strict=True))
    found = [by_id[a["category_id"]] for a in json.loads(out.read_text())["annotations"]]
    assert found == ["person", "dining table", "tv monitor"]


def test_what_is_missing_or_damaged_is_named(root):
    with pytest.raises(UserError, match="no list .*trainval.txt"):
        prepare_voc.convert(root, "trainval")
    path = root / "Annotations" / "000001.xml"
    whole = path.read_text()
    for bad in (
        whole[:-20],
        whole.replace("person", "horse-drawn cart"),
        whole.replace("<width>353</width>", ""),
        whole.replace("<name>person</name>", ""),
        whole.replace("<xmin>8</xmin>", ""),
    ):
        path.write_text(bad)
        with pytest.raises(UserError, match=r"000001.xml is no annotation of VOC"):
            prepare_voc.convert(root, "test")
    path.unlink()
    with pytest.raises(UserError, match=r"000001.xml is no annotation of VOC"):
        prepare_voc.convert(root, "test")
