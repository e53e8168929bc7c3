"""The base file of LVIS, and what every data tool does with bad input, reruns and interruptions."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import ovdistill.models.register  # noqa: F401
from ovdistill.core.errors import UserError
from ovdistill.datasets.names import read_names
from ovdistill.datasets.official.lvis import prepare_lvis
from ovdistill.datasets.official.source import SourceFile
from ovdistill.datasets.ov_dataset import OVDataset
from ovdistill.models.config import load_config
from ovdistill.vocabulary import Vocabulary, base_mask

ROOT = Path(__file__).parents[3]
TOOL = ROOT / "tools" / "prepare_lvis.py"
RARE = {5, *range(868, 1204)}  # 337 ids


def content(annotations: int = 40) -> dict:
    """12 images in LVIS's format; a third of the annotations is rare, the last image has none."""
    return {
        "info": {"year": 2020, "version": "v1"},
        "annotations": [
            {
                "area": 100.25,
                "id": n,
                "segmentation": [[1.5, 2, 3.75, 1e2, 0.1, -0.0]],
                "image_id": 100 + n % 11,
                "bbox": [1, 2.5, 1e1, 10],
                "category_id": (5, 6, 867)[n % 3],
                "name": "é\n",
            }
            for n in range(1, annotations + 1)
        ],
        "images": [
            {
                "id": 100 + n,
                "height": 32,
                "width": 40,
                "coco_url": f"http://host/train2017/{n}.jpg",
                "neg_category_ids": [5, 6, 1203],
                "not_exhaustive_category_ids": [5],
            }
            for n in range(12)
        ],
        "licenses": [{"id": 1, "name": "some"}],
        "categories": [
            {
                "id": k,
                "name": f"name_{k}",
                "frequency": "r" if k in RARE else "c",
                "image_count": 7,
                "instance_count": 9,
            }
            for k in range(1, 1204)
        ],
    }


def expected(data: dict) -> dict:
    """The same by json.load and a filter, without ``info``."""
    kept = [a for a in data["annotations"] if a["category_id"] not in RARE]
    instances = Counter(a["category_id"] for a in kept)
    images = Counter(k for _, k in {(a["image_id"], a["category_id"]) for a in kept})
    return {
        "images": data["images"],
        "annotations": kept,
        "licenses": data["licenses"],
        "categories": [
            c | {"image_count": images[c["id"]], "instance_count": instances[c["id"]]}
            for c in data["categories"]
        ],
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data root with train and val."""
    (tmp_path / "annotations").mkdir()
    for name in ("train", "val"):
        save(tmp_path, name, content())
    return tmp_path


def save(root: Path, name: str, data: dict) -> None:
    (root / f"annotations/lvis_v1_{name}.json").write_text(json.dumps(data))


def prepare(root: Path, force: bool = False):
    """The row of the written file."""
    folder = root / "annotations"
    paths = (folder / f"lvis_v1_{name}.json" for name in ("train", "val"))
    return prepare_lvis(*paths, folder, force=force)[1]


def command(root: Path, **options) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, str(TOOL), str(root)], env=environment, **options)


@pytest.mark.parametrize("backwards", [False, True])
def test_the_file_is_what_a_plain_filter_gives(root: Path, backwards: bool) -> None:
    data = content()
    if backwards:
        save(root, "train", dict(reversed(data.items())))
    row = prepare(root)
    written = json.loads(row.path.read_text())
    info = written.pop("info")
    assert written == expected(data)
    # equal in value and in kind: 10.0 stays a float, 10 an integer
    assert json.dumps(written["annotations"]) == json.dumps(expected(data)["annotations"])
    assert info.pop("ovdistill")["counts"]["kept"] == 27
    assert info == data["info"]
    assert (row.counts.base, row.counts.novel) == (866, 337)
    assert (row.counts.images, row.counts.kept, row.counts.dropped) == (12, 27, 13)
    assert row.counts.bare == 1


def test_the_official_counts_do_not_leak(root: Path) -> None:
    categories = {c["id"]: c for c in json.loads(prepare(root).path.read_text())["categories"]}
    assert len(categories) == 1203
    for rare in RARE:
        assert (categories[rare]["image_count"], categories[rare]["instance_count"]) == (0, 0)
    assert categories[867]["instance_count"] == 13
    assert categories[867]["image_count"] == 11


def test_the_command(root: Path) -> None:
    process = command(root, stdout=subprocess.PIPE, text=True)
    printed = process.communicate()[0]
    assert process.returncode == 0
    row = next(line for line in printed.splitlines() if "lvis_v1_train_base.json" in line)
    cells = [cell.strip() for cell in row.split("│")[2:-1]]
    assert cells == ["written", "866", "337", "12", "100,170", "27", "13", "1"]
    assert "lvis_v1_val.json has 12 images, a subset of the official 19,809" in printed
    assert (root / "annotations/lvis_v1_train_base.json").is_file()


def test_a_finished_file_is_left_as_it_is(root: Path) -> None:
    first = prepare(root)
    before = first.path.stat().st_mtime_ns
    train = root / "annotations/lvis_v1_train.json"
    os.utime(train, (1, 1))  # fetched again: another time, the same content
    again = prepare(root)
    assert (again.status, again.counts) == ("left as it is", first.counts)
    assert again.path.stat().st_mtime_ns == before

    assert prepare(root, force=True).status == "written"
    assert first.path.stat().st_mtime_ns > before


def test_another_input_is_written_anew(root: Path) -> None:
    path = prepare(root).path
    data = content()
    data["annotations"][1]["bbox"][0] = 3  # as many bytes as before
    save(root, "train", data)
    assert prepare(root).status == "written"
    assert json.loads(path.read_text())["annotations"] == expected(data)["annotations"]


def test_an_output_that_was_cut_off_is_written_anew(root: Path) -> None:
    path = prepare(root).path
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    assert prepare(root).status == "written"
    assert path.read_bytes() == whole


@pytest.mark.parametrize("foreign", ['{"info": {"year": 1}}', '{"images": []}', "[", ""])
def test_a_file_of_another_tool_is_not_replaced(root: Path, foreign: str) -> None:
    path = root / "annotations/lvis_v1_train_base.json"
    path.write_text(foreign)
    with pytest.raises(UserError, match="not made by this tool.*--force"):
        prepare(root)
    assert path.read_text() == foreign
    assert prepare(root, force=True).status == "written"


def damage(change) -> str:
    data = content()
    change(data)
    return json.dumps(data)


BAD = {
    "empty": ("", "not a complete JSON file"),
    "cut off": (json.dumps(content())[:-30_000], r"not a complete JSON file \(parse error: prem"),
    "a page": ("<html>", "not a complete JSON file"),
    "no text": (b'{"info": "\xff\xfe"}', "not a complete JSON file"),
    "a list": ("[]", "has no categories; at its top level it has nothing"),
    "captions": (
        json.dumps({"images": [], "annotations": [{"id": 1, "image_id": 1, "caption": "a"}]}),
        "has no categories; at its top level it has images, annotations",
    ),
    "no images": (damage(lambda d: d.pop("images")), "has no images; .* licenses, categories"),
    "no annotations": (damage(lambda d: d["annotations"].clear()), "has no annotations"),
    "COCO": (
        damage(lambda d: [c.pop("frequency") for c in d["categories"]]),
        "has no frequency in record 1 of categories, which has id, name",
    ),
    "LVIS v0.5": (
        damage(
            lambda d: d["categories"].extend(
                {"id": k, "name": str(k), "frequency": "r"} for k in range(1204, 1231)
            )
        ),
        "has 1230 different categories: 866 frequent or common and 364 rare; LVIS v1 has 1203",
    ),
    "other groups": (
        damage(lambda d: d["categories"][0].update(frequency="r")),
        "865 frequent or common and 338 rare",
    ),
    "the same id": (damage(lambda d: d["categories"][0].update(id=2)), "1202 different categories"),
    "no box": (
        damage(lambda d: d["annotations"][2].pop("bbox")),
        "has no bbox in record 3 of annotations",
    ),
    "numbers": (damage(lambda d: d["images"].append(3)), "no object as record 13 of images: 3"),
    "no such image": (
        damage(lambda d: d["annotations"][0].update(image_id=7)),
        "annotation 1 with image_id 7",
    ),
    "no such category": (
        damage(lambda d: d["annotations"][0].update(category_id=0)),
        "annotation 1 with category_id 0",
    ),
    "a box of text": (
        damage(lambda d: d["annotations"][1].update(bbox=[1, 2, 3, "4"])),
        "annotation 2 with bbox",
    ),
    "info": (damage(lambda d: d.update(info=[1])), "has info that is no dict"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_is_named(root: Path, kind: str) -> None:
    text, message = BAD[kind]
    train = root / "annotations/lvis_v1_train.json"
    train.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match=f"lvis_v1_train.json .*{message}.*lvis_v1_train.json.zip"):
        prepare(root)
    assert sorted(path.name for path in train.parent.iterdir()) == [
        "lvis_v1_train.json",
        "lvis_v1_val.json",
    ]


@pytest.mark.parametrize("name", ["train", "val"])
def test_missing_files_are_named(root: Path, name: str) -> None:
    (root / f"annotations/lvis_v1_{name}.json").unlink()
    with pytest.raises(UserError, match=f"lvis_v1_{name}.json is not there.*{name}.json.zip"):
        prepare(root)


def test_an_error_while_writing_leaves_nothing(root: Path, monkeypatch) -> None:
    before = prepare(root).path.read_bytes()
    records = SourceFile.records
    seen = Counter()

    def fail(self, section, keys):
        seen[section] += 1
        for record in records(self, section, keys):
            if section == "annotations" and seen[section] == 3 and record["id"] == 9:
                raise OSError("disk full")  # third reading: val, train, and now for writing
            yield record

    monkeypatch.setattr(SourceFile, "records", fail)
    with pytest.raises(OSError, match="disk full"):
        prepare(root, force=True)
    assert (root / "annotations/lvis_v1_train_base.json").read_bytes() == before
    assert len(list((root / "annotations").iterdir())) == 3


def test_a_killed_run_leaves_nothing_finished(root: Path) -> None:
    data = content(20_000)
    for annotation in data["annotations"]:
        annotation["segmentation"] *= 8
    save(root, "train", data)
    folder = root / "annotations"
    process = command(root)
    while process.poll() is None and not list(folder.glob("*.tmp")):
        time.sleep(0.002)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    path = folder / "lvis_v1_train_base.json"
    assert not path.exists()
    assert len(list(folder.glob("*.tmp"))) == 1
    row = prepare(root)
    assert row.status == "written"
    assert not list(folder.glob("*.tmp"))
    assert len(json.loads(path.read_text())["annotations"]) == row.counts.kept > 13_000


def test_training_on_it_is_training_on_the_official_file(real_data: Path, tmp_path: Path) -> None:
    """On real photos; the commonest of their categories is made rare, since none of them is."""
    data = json.loads((real_data / "coco_mini/annotations/lvis_train2017.json").read_text())
    commonest = Counter(a["category_id"] for a in data["annotations"]).most_common(1)[0][0]
    swapped = next(c for c in data["categories"] if c["frequency"] == "r")
    swapped["frequency"] = "c"
    next(c for c in data["categories"] if c["id"] == commonest)["frequency"] = "r"
    (tmp_path / "annotations").mkdir()
    save(tmp_path, "train", data)
    save(tmp_path, "val", data)
    row = prepare(tmp_path)
    assert row.counts.dropped > 50

    datasets = []
    for file in ("lvis_v1_train.json", "lvis_v1_train_base.json"):
        names = read_names(tmp_path / "annotations" / file)
        mask = base_mask(names.names, names.frequency, "lvis")
        array = np.eye(len(names.names), dtype=np.float32)
        Vocabulary.from_array(array, names, "test", mask).save(tmp_path / file)
        config = load_config(
            ROOT / "configs/vild_r50_lvis.py",
            {
                "data_root": str(tmp_path),
                "train_ann": f"annotations/{file}",
                "vocabulary": str(tmp_path / file),
            },
        )
        options = config.train_dataloader.dataset | dict(pipeline=[])
        assert options.pop("type") == "OVDataset"
        datasets.append(OVDataset(**options))
    official, base = datasets
    assert official.load_data_list() == base.load_data_list()
    assert len(official) == len(base) > 50
    assert official.metainfo == base.metainfo
