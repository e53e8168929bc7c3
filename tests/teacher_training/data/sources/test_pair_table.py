"""Tables of pairs in each format, and what is wrong with bad ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.core.images import ImageError, write_image
from ovdistill.teacher_training.data.sources.pair_table import PairTable

RNG = np.random.default_rng(0)
CONTENT = {
    "pairs.csv": 'image,text\na.png,"a cat, red"\nb.png,a dog\n',
    "pairs.tsv": "image\ttext\na.png\ta cat, red\nb.png\ta dog\n",
    "pairs.json": '[{"image": "a.png", "text": "a cat, red"}, {"image": "b.png", "text": "a dog"}]',
    "pairs.jsonl": '{"image": "a.png", "text": ["a cat, red"]}\n\n'
    '{"image": "b.png", "text": "a dog"}\n',
}


@pytest.mark.parametrize("name", CONTENT)
def test_each_format(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(CONTENT[name], encoding="utf-8-sig" if "csv" in name else None)
    pixels = np.full((4, 6, 3), 7, np.uint8)
    write_image(tmp_path / "a.png", pixels)
    source = PairTable(tmp_path / name)
    pair = source.load(0, RNG)
    assert len(source) == 2 and source.class_names == []
    assert pair.text == "a cat, red" and pair.class_name is None
    assert (pair.image == pixels).all()
    with pytest.raises(ImageError, match=r"b\.png"):
        source.load(1, RNG)


def test_other_columns_a_folder_and_classes(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_image(tmp_path / "in" / "a.png", np.zeros((4, 4, 3), np.uint8))
    table = tmp_path / "t.csv"
    table.write_text("file,caption,kind\na.png,one,cat\na.png,two,\na.png,three, ant \n")
    source = PairTable(table, tmp_path / "in", "file", "caption", "kind")
    assert source.class_names == ["ant", "cat"]
    assert [source.load(i, RNG).class_name for i in range(3)] == ["cat", None, "ant"]


def test_classes_as_numbers(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.zeros((4, 4, 3), np.uint8))
    rows = [dict(image="a.png", text="t", label=label) for label in (0, 1, None, "")]
    (tmp_path / "t.json").write_text(json.dumps(rows))
    source = PairTable(tmp_path / "t.json", label_column="label")
    assert source.labels == ["0", "1", None, None] and source.class_names == ["0", "1"]
    (tmp_path / "t.json").write_text(json.dumps([dict(rows[0], label=True)]))
    with pytest.raises(UserError, match="row 1: label is True; expected the name of a class"):
        PairTable(tmp_path / "t.json", label_column="label")


@pytest.mark.parametrize("separator", ["\u2028", "\x0c", "\x85"])
def test_only_line_breaks_break_lines(separator: str, tmp_path: Path) -> None:
    text = f"a{separator}b"
    (tmp_path / "t.csv").write_text(f"image,text\na.png,{text}\n")
    (tmp_path / "t.jsonl").write_text(
        json.dumps(dict(image="a.png", text=text), ensure_ascii=False)
    )
    for name in ("t.csv", "t.jsonl"):
        assert PairTable(tmp_path / name).texts == [text]


def test_one_of_several_texts_is_drawn(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.zeros((4, 4, 3), np.uint8))
    texts = ["one", "two", "three"]
    (tmp_path / "t.json").write_text(json.dumps([dict(image="a.png", text=texts)]))
    source = PairTable(tmp_path / "t.json")
    assert {source.load(0, np.random.default_rng(seed)).text for seed in range(20)} == {*texts}


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("t.csv", "", "no pairs"),
        ("t.csv", "image,text\n", "no pairs"),
        ("t.csv", "image,txt\na.png,b\n", "did you mean txt"),
        ("t.csv", "image,text\na.png,\n", "line 2: text is ''"),
        ("t.csv", "image,text\na.png\n", "line 2: text is None"),
        ("t.csv", "image,text\na.png,a cat, on a mat\n", "line 2 has more cells.*commas.*quotes"),
        ("t.csv", 'image,text\na.png,"a cat\n', "unexpected end of data"),
        ("t.json", "{}", "expected a list"),
        ("t.json", "[3]", "row 1: int"),
        ("t.json", '[{"image": "a", "text": 3}]', "text is 3"),
        ("t.jsonl", '{"image": "a"', "line 1"),
        ("t.txt", "a b", "expected .csv"),
    ],
)
def test_bad_tables(name: str, content: str, match: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=match):
        PairTable(tmp_path / name)


@pytest.mark.parametrize("outside", ["../a.png", "in/../../a.png", "/a.png", "{}/../a.png"])
def test_images_stay_in_their_folder(outside: str, tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.zeros((4, 4, 3), np.uint8))
    (tmp_path / "in").mkdir()
    names = ["in/../a.png", f"{tmp_path}/a.png", outside.format(tmp_path)]
    rows = [dict(image=name, text="t") for name in names]
    (tmp_path / "t.json").write_text(json.dumps(rows[:2]))
    for folder in (None, tmp_path / "in" / ".."):
        table = PairTable(tmp_path / "t.json", folder)
        assert [table.load(n, RNG).image.shape for n in (0, 1)] == [(4, 4, 3)] * 2
    (tmp_path / "t.json").write_text(json.dumps(rows))
    with pytest.raises(UserError, match=r"row 3: the image '.*a\.png' is not in the folder"):
        PairTable(tmp_path / "t.json", tmp_path)


def test_no_table(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        PairTable(tmp_path / "none.csv")
