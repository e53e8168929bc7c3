"""The files of OV-COCO, on real annotations cut down to 100 images."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ovdistill.models.register  # noqa: F401
from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations.captions import read_captions
from ovdistill.datasets.names import read_names
from ovdistill.datasets.official.coco import prepare_coco
from ovdistill.datasets.official.report import UNCHANGED, print_rows
from ovdistill.datasets.ov_dataset import OVDataset
from ovdistill.models.config import load_config
from ovdistill.vocabulary import Vocabulary, base_mask
from ovdistill.vocabulary.splits import COCO_BASE, COCO_NOVEL, COCO_UNUSED

ROOT = Path(__file__).parents[3]
UNUSED = [*COCO_UNUSED]
NAMES = (*COCO_BASE, *COCO_NOVEL, *UNUSED)
TRAIN, VAL, CAPTIONS = (
    f"{name}2017.json" for name in ("instances_train", "instances_val", "captions_train")
)


def content() -> dict:
    """Three images: one of a person (base) and a bus (novel), one of a hot dog, an empty one."""
    boxes = [(1, "person", 10), (2, "bus", 10), (3, "hot dog", 11)]
    return {
        "images": [
            {"id": n, "file_name": f"{n}.jpg", "height": 32, "width": 40} for n in range(10, 13)
        ],
        "annotations": [
            {
                "id": number,
                "image_id": image,
                "category_id": 2 * NAMES.index(name),
                "bbox": [1, 2, 3.5, 4],
                "area": 14,
                "iscrowd": 0,
            }
            for number, name, image in boxes
        ],
        "categories": [{"id": 2 * n, "name": name} for n, name in enumerate(NAMES)],
    }


def texts() -> dict:
    """Captions of two of the images and of one that is not among them; one is empty."""
    records = [(10, " A person.\n"), (99, "Elsewhere."), (11, " \t"), (10, "A bus.")]
    return {
        "info": {"year": 2017},
        "images": [{"id": n} for n in (99, 10, 11)],
        "annotations": [
            {"image_id": image, "id": n, "caption": caption}
            for n, (image, caption) in enumerate(records)
        ],
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data root with the three files."""
    (tmp_path / "annotations").mkdir()
    save(tmp_path, TRAIN, content())
    save(tmp_path, VAL, content())
    save(tmp_path, CAPTIONS, texts())
    return tmp_path


def save(root: Path, name: str, data: dict) -> None:
    (root / "annotations" / name).write_text(json.dumps(data))


def load(root: Path, name: str) -> dict:
    return json.loads((root / "annotations" / name).read_text())


def prepare(root: Path, captions: bool = True):
    folder = root / "annotations"
    own = folder / CAPTIONS if captions else None
    return prepare_coco(folder / TRAIN, folder / VAL, own, folder)


def test_base_classes_in_train_and_65_in_val(root: Path) -> None:
    train, val, _ = prepare(root)
    data = content()
    split = [c for c in data["categories"] if c["name"] not in UNUSED]
    assert len(split) == 65
    for name, kept in (("instances_train2017_base", 1), ("instances_val2017_ov", 2)):
        written = load(root, f"{name}.json")
        assert written["images"] == data["images"]
        assert written["annotations"] == data["annotations"][:kept]
        assert written["categories"] == split
    assert (train.counts.kept, train.counts.dropped, train.counts.bare) == (1, 2, 2)
    assert (val.counts.kept, val.counts.dropped, val.counts.bare) == (2, 1, 2)
    assert (train.counts.base, train.counts.novel) == (48, 17)
    assert train.counts.unused == UNUSED


def test_captions_of_the_train_images(root: Path) -> None:
    counts = prepare(root)[2].counts
    written = load(root, "captions_train2017_ov.json")
    assert written["images"] == [{"id": 10}, {"id": 11}]
    assert written["annotations"] == [
        {"image_id": 10, "id": 0, "caption": "A person."},
        {"image_id": 10, "id": 3, "caption": "A bus."},
    ]
    assert written["info"]["year"] == 2017
    assert (counts.images, counts.kept, counts.dropped, counts.bare) == (3, 2, 2, 2)
    path = root / "annotations/captions_train2017_ov.json"
    assert read_captions(path) == {10: ["A person.", "A bus."]}


def test_a_file_is_made_again_only_where_its_own_input_changed(root: Path) -> None:
    first = prepare(root)
    again = prepare(root)
    assert [row.status for row in again] == [UNCHANGED, UNCHANGED, UNCHANGED]
    assert [row.counts for row in again] == [row.counts for row in first]
    save(root, VAL, content() | {"info": {}})
    assert [row.status for row in prepare(root)] == [UNCHANGED, "written", UNCHANGED]
    save(root, TRAIN, content() | {"info": {}})  # its images decide which captions are kept
    assert [row.status for row in prepare(root)] == ["written", UNCHANGED, "written"]


def test_the_table(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_rows(prepare(root))
    printed = capsys.readouterr().out
    rows = [line.split("│") for line in printed.splitlines() if ".json" in line and "│" in line]
    assert [[cell.strip() for cell in row[2:-1]] for row in rows] == [
        ["written", "48", "17", "3", "118,287", "1", "2", "2"],
        ["written", "48", "17", "3", "5,000", "2", "1", "2"],
        ["written", "-", "-", "3", "118,287", "2", "2", "2"],
    ]
    assert f"15 classes are not used: {', '.join(UNUSED)}\n" in printed
    assert "instances_val2017.json has 3 images, a subset of the official 5,000" in printed


def test_the_command_wants_captions_unless_told_otherwise(root: Path) -> None:
    (root / "annotations" / CAPTIONS).unlink()
    tool = [sys.executable, str(ROOT / "tools/prepare_coco.py"), str(root)]
    options = dict(capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    done = subprocess.run(tool, **options)
    assert done.returncode == 2
    assert f"{CAPTIONS} is not there" in done.stderr
    assert "--no-captions" in done.stderr
    assert len(list((root / "annotations").iterdir())) == 2
    done = subprocess.run([*tool, "--no-captions"], **options)
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (root / "annotations").iterdir()}
    assert names == {TRAIN, VAL, "instances_train2017_base.json", "instances_val2017_ov.json"}


def test_categories_that_are_not_those_of_coco(root: Path) -> None:
    data = content()
    data["categories"][0]["name"] = "human"
    save(root, TRAIN, data)
    with pytest.raises(
        UserError,
        match=r"train2017.json has 64 categories of .*lacks person\) and 16 others; COCO has 65 "
        r"and 15\..*annotations_trainval2017.zip",
    ):
        prepare(root)
    data = content()
    data["categories"].pop()
    save(root, TRAIN, data)
    with pytest.raises(UserError, match=r"has 65 categories of [^(]* and 14 others"):
        prepare(root)


def test_files_in_the_wrong_place(root: Path) -> None:
    save(root, TRAIN, texts())
    with pytest.raises(UserError, match="instances_train2017.json has no categories; at its top"):
        prepare(root)
    save(root, TRAIN, content())
    save(root, CAPTIONS, content())
    with pytest.raises(UserError, match="captions_train2017.json has no caption in record 1 of"):
        prepare(root)
    save(root, CAPTIONS, texts() | {"annotations": [{"id": 1, "image_id": 99, "caption": "a"}]})
    with pytest.raises(UserError, match="has no caption of an image of .*instances_train2017"):
        prepare(root)
    save(root, CAPTIONS, texts() | {"annotations": [{"id": 1, "image_id": 10, "caption": None}]})
    with pytest.raises(UserError, match="has caption None in record 1 of annotations, .* no text"):
        prepare(root)


@pytest.mark.parametrize(
    ("name", "section", "key", "value"),
    [
        (TRAIN, "categories", "name", 5),
        (TRAIN, "categories", "id", [1]),
        (VAL, "images", "id", [1]),
        (CAPTIONS, "annotations", "image_id", [10]),
    ],
)
def test_values_of_another_kind(
    root: Path, name: str, section: str, key: str, value: object
) -> None:
    data = texts() if name == CAPTIONS else content()
    data[section][0][key] = value
    save(root, name, data)
    with pytest.raises(UserError, match=rf"{name} has {key} \[?\d+\]? in record 1 of {section}"):
        prepare(root)


def test_training_on_it_is_training_on_the_official_file(real_data: Path, tmp_path: Path) -> None:
    mini = json.loads((real_data / "coco_mini/annotations" / TRAIN).read_text())
    (tmp_path / "annotations").mkdir()
    save(tmp_path, TRAIN, mini)
    save(tmp_path, VAL, mini)
    train, val = prepare(tmp_path, captions=False)
    assert train.counts.dropped > val.counts.dropped > 0

    official = datasets(tmp_path, TRAIN, VAL)
    ours = datasets(tmp_path, train.path.name, val.path.name)
    for one, other in zip(official, ours, strict=True):
        assert one.load_data_list() == other.load_data_list()
        assert len(one) == len(other) > 50
        assert one.metainfo == other.metainfo


def datasets(root: Path, train: str, val: str) -> list[OVDataset]:
    """Build the data sets of a config, with a vocabulary of this training file."""
    names = read_names(root / "annotations" / train).only({*COCO_BASE, *COCO_NOVEL})
    mask = base_mask(names.names, names.frequency, "coco")
    array = np.eye(len(names.names), dtype=np.float32)
    vocabulary = root / f"{train}.safetensors"
    Vocabulary.from_array(array, names, "test", mask).save(vocabulary)
    config = load_config(
        ROOT / "configs/rkd_r50_coco.py",
        {
            "data_root": str(root),
            "train_ann": f"annotations/{train}",
            "val_ann": f"annotations/{val}",
            "vocabulary": str(vocabulary),
        },
    )
    built = []
    for loader in (config.train_dataloader, config.test_dataloader):
        options = loader.dataset | dict(pipeline=[])
        assert options.pop("type") == "OVDataset"
        built.append(OVDataset(**options))
    return built
