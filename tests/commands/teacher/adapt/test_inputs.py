"""What an adaptation reads: of the options, of the config, and what of it counts."""

import json
from pathlib import Path

import pytest
import torch

from ovdistill.commands.teacher.adapt.inputs import check_inputs, find_inputs
from ovdistill.commands.teacher.adapt.options import AdaptOptions
from ovdistill.commands.teacher.adapt.regions import read_data
from ovdistill.commands.teacher_options import SHIPPED
from ovdistill.core.errors import UserError
from ovdistill.ovshapes.generate import make_ovshapes
from ovdistill.teacher import build_teacher
from ovdistill.teacher_training.adapt.clip_adapter import ClipAdapterMethod

STORE = (Path("regions"),)  # which is not opened here


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return make_ovshapes(tmp_path_factory.mktemp("shapes"), train=12, val=3, test=1, workers=1)


@pytest.fixture(scope="module")
def teacher():
    return build_teacher(SHIPPED["ovshapes"])


def options(root, **more):
    given = dict(config="vild_r18_shapes", cfg_options=(f"data_root={root}",), workers=0)
    return AdaptOptions(**(given | more), out=Path("x.safetensors"))


def test_without_labels_no_class_of_the_file_is_read(root, teacher, tmp_path):
    path = root / "annotations" / "instances_train.json"
    content = json.loads(path.read_text())
    content["categories"] = [dict(id=1, name="thing")]
    for record in content["annotations"]:
        record["category_id"] = 1
    (tmp_path / "things.json").write_text(json.dumps(content))
    found = []
    for file in (path, tmp_path / "things.json"):
        chosen = options(root, annotations=file, images=root / "images", unsupervised=True, shots=1)
        inputs = find_inputs(chosen, teacher)
        assert sum(len(own.labels) for own in inputs.train.objects.values()) == len(
            content["annotations"]
        )
        found.append(read_data(chosen, ClipAdapterMethod(), inputs, teacher).train)
    assert torch.equal(found[0].labels, found[1].labels)
    assert torch.equal(found[0].embeddings, found[1].embeddings)


@pytest.mark.parametrize("subset", ["train", "val"])
def test_files_of_the_config_are_not_measured_on_either(root, subset):
    name = {"train": "test_", "val": ""}[subset]  # of which option the config's other file is
    files = {
        f"{name}annotations": root / "annotations" / f"instances_{subset}.json",
        f"{name}images": root / "images",
    }
    for more in ({}, dict(store=STORE)):
        with pytest.raises(UserError, match="expected a file of other images"):
            check_inputs(options(root, **files, **more))
    check_inputs(options(root, **files, store=STORE, unsupervised=True))  # no labels


def test_a_config_without_images_to_measure_on(root):
    """As `init-dataset` writes it without --val; the message says what to give."""
    same = (f"data_root={root}", "val_ann=annotations/instances_train.json")
    with pytest.raises(UserError, match="instances_train.*--test-annotations .*--test-images"):
        check_inputs(options(root, cfg_options=same))
    test = dict(test_annotations=root / "annotations" / "instances_val.json")
    check_inputs(options(root, cfg_options=same, **test, test_images=root / "images"))


def test_two_files_are_compared_before_a_config_is_read(root):
    file = root / "annotations" / "instances_val.json"
    files = dict(annotations=file, images=root, test_annotations=file, test_images=root)
    with pytest.raises(UserError, match="the same file"):
        options(root, **files).check()
    options(root, **files, store=(root,), unsupervised=True).check()  # no labels
