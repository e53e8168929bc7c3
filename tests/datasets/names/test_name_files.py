"""Class names from the files of other tools: read as what they are, or refused."""

import time

import pytest

from ovdistill.core.errors import UserError
from ovdistill.datasets.names import read_names
from ovdistill.inference.prompts import parse_prompts

FOX_OWL = {
    "list.yaml": "train: ../images\nnc: 2\nnames: ['fox', 'owl']\n",
    "mapping.yml": "names:\n  1: owl\n  0: fox\n",
    "name_to_number.yaml": "names:\n  owl: 1\n  fox: 0\n",
    "class_to_idx.yaml": "owl: 1\nfox: 0\n",
    "bom.yaml": "\ufeffnames:\n- fox\n- owl\n",
    "labelmap.txt": "# label:color_rgb:parts:actions\nbackground:0,0,0::\nfox:1,2,3::\nowl:::\n",
    "plain.names": "fox\r\n\r\n  owl \r\n",
    "comments.txt": "# my classes\nfox\nowl\n",
    "header.csv": "id,name,supercategory\n7,fox,animal\n9,owl,animal\n",
    "excel.csv": 'Name;Colour\n"fox";red\nowl;grey\n',
    "open_images.csv": "LabelName,DisplayName\n/m/0306r,fox\n/m/09d5_,owl\n",
    "without_header.csv": "/m/0306r,fox\n/m/09d5_,owl\n",
    "one_column.csv": "fox\nowl\n",
    "foreign_header.csv": "number,animal\n0,fox\n1,owl\n",
    "table.tsv": "class\tcount\nfox\t3\nowl\t4\n",
    "names.jsonl": '"fox"\n"owl"\n',
    "records.jsonl": '{"id": 2, "name": "owl"}\n{"id": 1, "name": "fox"}\n',
    "mapping.json": '{"1": "owl", "0": "fox"}',
    "class_to_idx.json": '{"owl": 1, "fox": 0}',
    "names.json": '{"names": ["fox", "owl"]}',
    "cvat.json": '[{"name": "fox", "attributes": []}, {"name": "owl", "attributes": []}]',
    "roboflow.json": '{"categories": [{"id": 0, "name": "pets", "supercategory": "none"}, '
    '{"id": 1, "name": "fox", "supercategory": "pets"}, '
    '{"id": 2, "name": "owl", "supercategory": "pets"}], "annotations": [{"category_id": 1}]}',
    "further_lists.json": '{"categories": [{"id": 2, "name": "owl"}, {"id": 1, "name": "fox"}], '
    '"images": [], "labels": ["a"], "classes": ["b"], "names": {"0": "c"}}',
    "datumaro.json": '{"categories": {"label": {"labels": [{"name": "fox"}, {"name": "owl"}]}}}',
}
REFUSED = {
    "count.yaml": "nc: 3\nnames: [fox, owl]\n",
    "no_names.yaml": "train: a\nval: b\n",
    "text_for_number.yaml": "fox: 0\nowl: one\n",
    "image_count.yaml": "categories:\n- {name: fox, image_count: many}\n",
    "endless.yaml": "names: &a\n  names: *a\n",
    "path.yaml": "names: classes.txt\n",
    "broken.yaml": "names: [fox\n",
    "deep.yaml": "names: " + "[" * 5000,
    "aliases.yaml": "a: &a [x,x,x,x]\n"
    + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{f'*{chr(97 + i)},' * 9}]\n" for i in range(20))
    + "names: *u\n",
    "yaml.txt": "names:\n- fox\n- owl\n",
    "yaml2.txt": "train: ../images\nnames: ['fox', 'owl']\n",
    "table.txt": "id,name\n0,fox\n",
    "tabs.names": "0\tfox\n1\towl\n",
    "numbered.txt": "0 fox\n1 owl\n",
    "synsets.txt": "n01440764 tench\nn01443537 goldfish\n",
    "json.txt": '["fox", "owl"]',
    "train.txt": "images/a.jpg\nimages/b.jpg\n",
    "boxes.txt": "0 0.5 0.5 0.1 0.1\n1 0.5 0.5 0.2 0.2\n",
    "obj.data": "classes = 2\nnames = obj.names\n",
    "label_map.pbtxt": "item {\n  id: 1\n  name: 'fox'\n}\n",
    "voc.xml": "<annotation>\n<name>fox</name>\n</annotation>\n",
    "two_columns.csv": "fox,red\nowl,grey\n",
    "one_row.csv": "fox,owl\n",
    "ragged.csv": "name,id\nfox\n",
    "numbers.csv": "0,1\n2,3\n",
    "images.csv": "image,label\n0001.png,fox\n0002.png,fox\n",
    "twins.txt": "Night_Stand\nnight stand\n",
    "nothing.txt": "\n\n",
    "empty.csv": "",
    "empty.yaml": "",
    "surrogate.json": '["\\ud800"]',
    "synonyms.json": '[{"name": "fox", "synonyms": 5}]',
    "count.json": '[{"name": "fox", "image_count": "x"}]',
    "number.json": '[{"name": 5}]',
    "two_lists.json": '{"names": ["fox"], "classes": ["owl"]}',
    "categories_and_labels.json": '{"categories": [{"name": "fox"}], "labels": ["owl"]}',
    "task.json": '[{"data": {"image": "a.png"}, "annotations": []}]',
    "labelme.json": '{"shapes": [{"label": "fox"}]}',
    "half.jsonl": '"fox"\n{"name": \n',
    "deep.jsonl": "[" * 100000,
}


@pytest.mark.parametrize("name", FOX_OWL)
def test_a_file_is_read_as_what_it_is(tmp_path, name):
    (tmp_path / name).write_bytes(FOX_OWL[name].encode())
    assert read_names(tmp_path / name).names == ("fox", "owl")


def test_numbers_of_yaml(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("categories:\n- {id: 2, name: 7, image_count: 12}\n- {id: 1, name: fox}\n")
    assert read_names(path).names == ("fox", "7") and read_names(path).counts is None
    path.write_text("- {id: 2, name: owl, image_count: 12}\n- {id: 1, name: fox, image_count: 0}\n")
    assert read_names(path).counts == (0, 12)
    path.write_text("names: {1: 7, 0: 9}\n")
    assert read_names(path).names == ("9", "7")


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_list_of_names_is_refused(tmp_path, name):
    (tmp_path / name).write_text(REFUSED[name])
    start = time.monotonic()
    with pytest.raises(UserError, match=name):
        read_names(tmp_path / name)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("suffix", ["txt", "csv", "tsv", "yaml", "jsonl", "json", "names"])
@pytest.mark.parametrize("content", [b"\xe4\n", b"fox\0\n", b"\xff\xfe\xff", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_text_is_refused(tmp_path, suffix, content):
    (tmp_path / f"a.{suffix}").write_bytes(content)
    with pytest.raises(UserError, match=rf"a\.{suffix}"):
        read_names(tmp_path / f"a.{suffix}")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match="folder"):
        read_names(tmp_path)


def test_many_names_are_no_path():
    assert len(read_names(", ".join(f"name {i}" for i in range(900))).names) == 900


def test_queries_of_a_file(tmp_path):
    (tmp_path / "words.txt").write_text("fox\nsnow owl\n")
    assert parse_prompts(str(tmp_path / "words.txt")).names == ("fox", "snow owl")
    assert parse_prompts("cabinet/shelf").names == ("cabinet/shelf",)
    with pytest.raises(UserError, match=r"none\.txt"):
        parse_prompts("none.txt")


def test_queries_in_any_spelling_are_kept_apart_from_names_of_files():
    assert parse_prompts("st. bernard, fox.").names == ("st. bernard", "fox.")
