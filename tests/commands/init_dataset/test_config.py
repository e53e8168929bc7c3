"""The text of a config: names, categories and paths in it are data, whatever they contain."""

import ast
import json
import os
import shlex
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS

import ovdistill.models.register  # noqa: F401
from ovdistill.commands import main
from ovdistill.commands.init_dataset.classes import Classes
from ovdistill.commands.init_dataset.config import DatasetConfig, NetworkChanges
from ovdistill.commands.init_dataset.schedule import Schedule
from ovdistill.core.errors import UserError
from ovdistill.core.images import write_image
from ovdistill.core.teacher_id import TeacherId
from ovdistill.datasets.survey import Survey
from ovdistill.models.config import load_config, placeholder_values
from ovdistill.vocabulary import Names, Vocabulary

HOSTILE = (
    '"""\nraise SystemExit("a docstring was left")\n"""',
    "'''\nraise SystemExit\n'''",
    "quote ' and \" and back\\slash\\",
    "{{ fileDirname }}",
    "{{$HOME:/}}",
    "$base $name %s `id` $(id)",
    "斑马 🦓",
    "# no comment",
)


def survey(**parts: object) -> Survey:
    given = dict(
        path=Path("data/train.json"),
        image_folder=Path("data/images"),
        classes=Names(("cat", "dog")),
        images=10,
        annotations=20,
        empty=0,
        masks=20,
        lvis=False,
    )
    return Survey(**given | parts)


def classes(names: tuple[str, ...] = ("cat", "dog"), novel: tuple[str, ...] = ("dog",)) -> Classes:
    return Classes(tuple(dict(id=n, name=name) for n, name in enumerate(names, 1)), novel)


def config(**parts: object) -> DatasetConfig:
    given = dict(
        name="pets",
        path=Path("configs/pets.py"),
        base=Path("configs/vild_r50_coco.py"),
        regions="regions",
        network=Path("configs/rpn_r50_coco.py"),
        train=survey(),
        val=survey(path=Path("data/val.json")),
        classes=classes(),
        main=Schedule(2, 0.0025, 2000),
        first=Schedule(4, 0.005, 2000),
        evaluators=[dict(type="OVMetric", ann_file="{data_root}/{val_ann}", metrics=("bbox",))],
    )
    return DatasetConfig(**given | parts)


def assigned(text: str) -> dict[str, object]:
    """The values that the text gives to names, and its docstring; only literals are allowed."""
    module = ast.parse(text)
    found: dict[str, object] = {"": ast.get_docstring(module, clean=False)}
    for node in module.body[1:]:
        assert isinstance(node, ast.Assign)  # nothing is run but assignments
        calls = [part for part in ast.walk(node.value) if isinstance(part, ast.Call)]
        assert all(isinstance(call.func, ast.Name) and call.func.id == "dict" for call in calls)
        if isinstance(node.targets[0], ast.Name):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:  # dict(...)
                continue
    return found


def test_paths_lead_past_links(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "disk" / "deep" / "data").mkdir(parents=True)
    (tmp_path / "data").symlink_to(tmp_path / "disk" / "deep" / "data")
    (tmp_path / "images").mkdir()
    found = config(train=survey(image_folder=Path("images")))
    prefix = found._in_data(Path("images"))
    assert os.path.samefile(tmp_path / "data" / prefix, tmp_path / "images")
    assert found._in_data(Path("data/images")) == "images"


def test_the_text_of_a_plain_config():
    found = assigned(config().text())
    assert found["_base_"] == ["vild_r50_coco.py"]
    assert (found["data_root"], found["train_ann"], found["val_ann"]) == (
        "data",
        "train.json",
        "val.json",
    )
    assert found["cache"] == "work_dirs/pets/prepared" and found["novel"] == ["dog"]
    assert found["regions"] == "{cache}/regions"
    assert "ovdistill test configs/pets.py work_dirs/pets/last.pth" in found[""]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_leaves_its_literal(text):
    safe = text.replace("/", "_")  # a file name has none
    own = config(
        name=text,
        path=Path("configs", f"{safe}.py"),
        base=Path(f"{safe}/{safe}.py"),
        regions=safe,
        network=Path(f"{safe}.py"),
        train=survey(path=Path(safe, f"{safe}.json"), image_folder=Path(safe)),
        val=survey(path=Path(safe, "val", f"{safe}.json")),
        classes=classes((text, "dog"), (text,)),
        evaluators=[dict(type=text, ann_file=text, **{text: 1})],
        changes=NetworkChanges([dict(type=text)], [dict(type=text)], {text: dict(a=(text,))}),
        network_changes=NetworkChanges([dict(type=text)], None, {text: {text: [text]}}),
        teacher=dict(teacher=dict(type=text, crops={text: text})),
        vocabulary={text: text},
    )
    source = own.text()
    found = assigned(source)
    assert found["novel"] == [text]
    assert (found["data_root"], found["train_ann"]) == (safe, f"{safe}.json")
    assert found["val_ann"] == f"val/{safe}.json"
    assert found["cache"] == f"work_dirs/{safe}/prepared"
    assert found["regions"] == f"{{cache}}/{safe}"
    assert "{{" not in source  # mmengine would replace it
    assert text in found[""]
    predict = own.commands().partition("ovdistill predict ")[2]
    assert shlex.split(predict)[2] == f"{text}, dog"


@pytest.mark.parametrize(
    "parts",
    [
        dict(classes=classes(("{data_root}", "dog"), ("{data_root}",))),
        dict(train=survey(path=Path("{split}/train.json"))),
        dict(path=Path("{cache}.py")),
        dict(train=survey(image_folder=Path("data/{x}"))),
        dict(network=Path("{x}.py")),
    ],
)
def test_placeholders_in_names_are_refused(parts):
    with pytest.raises(UserError, match="{"):
        config(**parts).text()


def test_without_evaluation_and_with_changes():
    pipeline = [dict(type="LoadAnnotations", with_mask=False)]
    changes = NetworkChanges(train_pipeline=pipeline, model=dict(roi_head=dict(mask_head=None)))
    text = config(val=None, changes=changes, network_changes=NetworkChanges(pipeline)).text()
    found = assigned(text)
    assert found["val_evaluator"] is None and found["test_evaluator"] == []
    assert "mask_head=None" in text and "ovdistill test" not in text
    assert text.count("with_mask=False") == 2


def test_class_names_of_their_own_are_in_a_file_beside_it():
    own = config(classes=replace(classes(), as_in_train=False))
    assert own.names_file() == {"categories": [dict(id=1, name="cat"), dict(id=2, name="dog")]}
    assert own.names_path == Path("configs/pets_names.json")
    assert "{config_folder}/pets_names.json" in own.text()
    assert config().names_file() is None and "{data_root}/{train_ann}" in config().text()


def test_small_images_are_trained_on(tmp_path):
    """The published recipes leave out images with a side under 32 pixels."""
    sizes = {1: (3, 200), 2: (20, 20)}
    for number, size in sizes.items():
        write_image(tmp_path / f"{number}.png", np.zeros((*size, 3), np.uint8))
    images = [dict(id=n, file_name=f"{n}.png", height=h, width=w) for n, (h, w) in sizes.items()]
    boxes = [dict(id=n, image_id=n, category_id=1, bbox=[2, 1, 9, 2], iscrowd=0) for n in sizes]
    content = dict(images=images, annotations=boxes, categories=[dict(id=1, name="cat")])
    (tmp_path / "train.json").write_text(json.dumps(content))
    out = tmp_path / "own.py"
    words = ["--base-config", "vild_mobilenetv4_coco", "-o", str(out)]
    assert not main.run(["init-dataset", str(tmp_path / "train.json"), *words])
    loaded = load_config(out)
    step = loaded.prepare.proposals
    options = {**placeholder_values(loaded), **step.options}
    network = load_config(out.parent / step.network, options)
    vocabulary = Vocabulary(("cat",), torch.ones(1, 1), torch.tensor([True]), TeacherId("test"))
    # the other rule stays the recipe's: images without a box have regions, but no proposals
    for trained, drops_empty in ((loaded, False), (network, True)):
        dataset = trained.train_dataloader.dataset
        assert dataset.filter_cfg == dict(filter_empty_gt=drops_empty, min_size=0)
        dataset.pipeline = [p for p in dataset.pipeline if p.type != "LoadTeacherRegions"]
        built = DATASETS.build(dict(dataset, vocabulary=vocabulary))
        assert [built[row]["data_samples"].img_id for row in range(len(built))] == [1, 2]
        assert all(min(built[row]["inputs"].shape) > 0 for row in range(len(built)))


def test_hostile_data_from_the_command_to_the_loaded_config(tmp_path):
    """The files of a user whose every name would break a careless template."""
    hostile = 'it\'s """ {{ fileDirname }} $HOME \\'
    folder = tmp_path / hostile
    folder.mkdir()
    categories = [dict(id=n, name=name) for n, name in enumerate(["plain", *HOSTILE, hostile], 1)]
    # a backslash in the file name of an image separates folders, as on Windows
    image = dict(id=1, file_name=f"{hostile.rstrip(chr(92))}.png", height=8, width=8)
    box = dict(id=1, image_id=1, category_id=1, bbox=[1, 1, 4, 4], area=16, iscrowd=0)
    content = dict(images=[image], annotations=[box], categories=categories)
    annotations, novel = folder / f"{hostile}.json", tmp_path / "novel.json"
    annotations.write_text(json.dumps(content))
    _, encoded = cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))
    (folder / image["file_name"]).write_bytes(encoded.tobytes())
    novel.write_text(json.dumps([hostile, HOSTILE[3], HOSTILE[4]]))
    out = folder / "config's.py"
    words = [annotations, "--novel-file", novel, "--name", hostile, "-o", out]
    assert not main.run(["init-dataset", *map(str, words)])
    loaded = load_config(out)
    assert loaded.data_root == str(folder) and loaded.train_ann == annotations.name
    assert list(loaded.prepare.vocabulary.split) == [hostile, HOSTILE[3], HOSTILE[4]]
    assert loaded.prepare.vocabulary.names == str(annotations)
    assert loaded.train_dataloader.dataset.ann_file == annotations.name
