"""What was prepared from other inputs is an error that names the difference, and is kept."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ovdistill.core.assets import TEACHER_DIR
from ovdistill.core.errors import UserError
from ovdistill.core.vocabulary_header import read_header
from ovdistill.extraction import proposal_origin
from ovdistill.extraction.config_inputs import training_annotations
from ovdistill.extraction.prepare import check_prepared, prepare, prepare_vocabulary
from ovdistill.extraction.prepare_captions import prepare_captions
from ovdistill.extraction.proposal_note import origin_path, write_note
from ovdistill.extraction.proposal_origin import training_origin
from ovdistill.extraction.teacher_origin import teacher_origin
from ovdistill.models.config import load_config
from ovdistill.ovshapes.generate import make_ovshapes
from ovdistill.store.meta import TEACHER_CHANGES, TEACHER_FILES, read_meta, write_meta
from ovdistill.teacher.teacher_folder import WEIGHTS_NAME
from ovdistill.vocabulary import Vocabulary

CONFIG = "vild_r18_shapes"
NAMES = "solid star, dotted ring, solid cross"


def config_of(folder, **options):
    """Return a config whose vocabulary is made from names, in a folder of its own."""
    options = {"prepare.vocabulary.names": NAMES, "prepare.vocabulary.split": "dotted ring"} | {
        key.replace("__", "."): value for key, value in options.items()
    }
    return load_config(CONFIG, dict(data_root=str(folder), **options))


def make_vocabulary(config):
    prepare_vocabulary(config, **config.prepare.vocabulary)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a folder with a vocabulary."""
    folder = tmp_path_factory.mktemp("made")
    make_vocabulary(config_of(folder))
    return folder


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(prepare__vocabulary__split="solid star"), "novel now: 'solid star'"),
        (dict(prepare__vocabulary__split="none"), "base now: 'dotted ring'"),
        (dict(prepare__vocabulary__names=f"{NAMES}, solid heart"), "lacks: 'solid heart'"),
        (
            dict(prepare__vocabulary__names="dotted ring, solid cross"),
            "not in .*names: 'solid star'",
        ),
        (dict(prepare__vocabulary__templates="vild63"), "templates: 1 there, 63"),
        (dict(prepare__vocabulary__tokens=True), "token"),
    ],
)
def test_a_vocabulary_of_other_inputs(made, options, message):
    config = config_of(made, **options)
    before = Path(config.vocabulary).read_bytes()
    with pytest.raises(UserError, match=message):
        make_vocabulary(config)
    assert Path(config.vocabulary).read_bytes() == before


def test_the_same_classes_in_another_file_or_order_are_the_same(made, tmp_path):
    (tmp_path / "names.txt").write_text("solid_cross\ndotted ring\nSolid star\n")
    make_vocabulary(config_of(made, prepare__vocabulary__names=str(tmp_path / "names.txt")))


def test_without_the_file_of_names_nothing_is_compared(made, tmp_path):
    make_vocabulary(config_of(made, prepare__vocabulary__names=str(tmp_path / "gone.json")))


def test_a_users_own_vocabulary_has_its_own_prompts_but_the_same_split(made, tmp_path):
    """As is one of an earlier version: it does not say what it was made from."""
    own = replace(Vocabulary.load(config_of(made).vocabulary), origin={})
    config = config_of(tmp_path, prepare__vocabulary__templates="vild63")
    own.save(config.vocabulary)
    make_vocabulary(config)
    with pytest.raises(UserError, match="novel now: 'solid star'"):
        make_vocabulary(config_of(tmp_path, prepare__vocabulary__split="solid star"))


def checkpoint_of(config):
    path = Path(config.prepare.proposals.checkpoint)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({}, path)
    return path


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """Return a config with a vocabulary and a proposal network that was trained on it."""
    make_ovshapes(tmp_path, train=2, val=1, test=1, workers=1)
    config = load_config(CONFIG, {"data_root": str(tmp_path), "prepare.proposals.published": None})
    make_vocabulary(config)
    path = checkpoint_of(config)
    network = proposal_origin.proposal_network(config)
    write_note(path, training_origin(config, network))
    return config


def test_a_network_that_saw_boxes_of_now_novel_classes(trained):
    check_prepared(trained)
    vocabulary = Vocabulary.load(trained.vocabulary)
    other = vocabulary.is_base.clone()
    other[other.nonzero()[0]] = False
    replace(vocabulary, is_base=other, origin={}).save(trained.vocabulary)
    trained.prepare.vocabulary = None  # the user's own, as it is
    with pytest.raises(UserError, match=r"proposals\.pth\n +trained on boxes of classes"):
        check_prepared(trained)


def test_a_network_of_other_annotations_or_another_model(trained):
    annotations = Path(trained.data_root) / "annotations" / "instances_train.json"
    content = annotations.read_text()
    annotations.write_text(content + " ")
    with pytest.raises(UserError, match="annotations:"):
        check_prepared(trained)
    annotations.write_text(content)
    trained.prepare.proposals.options = {"model.backbone.depth": 34}
    with pytest.raises(UserError, match="model:"):
        check_prepared(trained)


def test_a_vocabulary_that_is_still_to_be_made(trained):
    Path(trained.vocabulary).unlink()
    check_prepared(trained)


def test_another_checkpoint_in_its_place_is_the_users_own(trained):
    path = Path(trained.prepare.proposals.checkpoint)
    origin_path(path).write_text(json.dumps({"base": [], "checkpoint": "0"}))
    check_prepared(trained)


def test_a_network_of_an_earlier_version_is_given_up_with_its_vocabulary(made, tmp_path):
    """It has no note; the vocabulary beside it says what it was trained on."""
    config = config_of(tmp_path)
    make_vocabulary(config)
    path = checkpoint_of(config)
    changed = config_of(tmp_path, prepare__vocabulary__split="solid star")
    changed.prepare.proposals.published = None
    with pytest.raises(UserError, match="solid star"):
        make_vocabulary(changed)
    assert json.loads(origin_path(path).read_text())["base"] == ["solid cross", "solid star"]
    Path(config.vocabulary).unlink()
    make_vocabulary(changed)
    with pytest.raises(UserError, match=r"proposals\.pth\n +trained on boxes .*'solid star'"):
        check_prepared(changed)


@pytest.mark.parametrize("note", ["{", "[]", "{}", '{"base": 5}'])
def test_a_damaged_note(made, tmp_path, note):
    config = config_of(tmp_path)
    make_vocabulary(config)
    origin_path(checkpoint_of(config)).write_text(note)
    with pytest.raises(UserError, match=r"proposals\.origin\.json"):
        check_prepared(config)


def test_captions_of_other_annotations(tmp_path):
    image = dict(id=1, file_name="1.png", height=20, width=30)
    path = tmp_path / "captions.json"
    captions = dict(annotations=[dict(image_id=1, caption="a solid star")])
    path.write_text(json.dumps(dict(captions, images=[dict(image, file_name="2.png")])))
    config = config_of(tmp_path)
    training = Path(training_annotations(config))
    training.parent.mkdir()
    sections = dict(images=[image], annotations=[], categories=[dict(id=1, name="solid star")])
    training.write_text(json.dumps(sections))
    with pytest.raises(UserError, match="captions of other images"):
        prepare_captions(config, str(tmp_path / "c"), str(path))
    path.write_text(json.dumps(captions))
    prepare_captions(config, str(tmp_path / "c"), str(path))
    prepare_captions(config, str(tmp_path / "c"), str(path))
    path.write_text(json.dumps(dict(annotations=[dict(image_id=1, caption="a dotted ring")])))
    with pytest.raises(UserError, match="annotations_hash"):
        prepare_captions(config, str(tmp_path / "c"), str(path))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Return a folder in which everything was prepared for a few images."""
    folder = tmp_path_factory.mktemp("prepared")
    make_ovshapes(folder, train=3, val=1, test=1, workers=1)
    prepare(load_config(CONFIG, dict(data_root=str(folder))))
    return folder


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prepare.regions.per_image": 11}, "regions of an image: 10 there, 11 now"),
        ({"teacher.crops": dict(scales=[1.0])}, "crops: scales"),
        ({"teacher.crops.mode": "dense"}, "crops: mode: crops there, dense now"),
        ({"prepare.proposals.options": {"model.test_cfg.rpn.max_per_img": 5}}, "network"),
    ],
)
def test_regions_of_other_inputs(prepared, options, message):
    config = load_config(CONFIG, dict(data_root=str(prepared), **options))
    with pytest.raises(UserError, match=message):
        check_prepared(config)


def test_fewer_regions_of_an_image_are_there_already(prepared):
    check_prepared(
        load_config(CONFIG, {"data_root": str(prepared), "prepare.regions.per_image": 5})
    )


def test_regions_of_other_proposals_or_images(prepared, tmp_path):
    config = load_config(CONFIG, dict(data_root=str(prepared)))
    path = Path(config.prepare.proposals.checkpoint)
    content = path.read_bytes()
    try:
        path.write_bytes(content + b"0")
        with pytest.raises(UserError, match="proposals: hash"):
            check_prepared(config)
    finally:
        path.write_bytes(content)
    annotations = prepared / "annotations" / "instances_train.json"
    text = annotations.read_text()
    data = json.loads(text)
    data["images"].append(dict(data["images"][0], id=77, file_name="77.png"))
    try:
        annotations.write_text(json.dumps(data))
        with pytest.raises(UserError, match=r"1 of 4 training images .*77"):
            check_prepared(config)
    finally:
        annotations.write_text(text)


def test_regions_of_images_whose_ids_are_others_now(prepared):
    """As after another export of the same data: ids of two images are exchanged."""
    config = load_config(CONFIG, dict(data_root=str(prepared)))
    annotations = prepared / "annotations" / "instances_train.json"
    text = annotations.read_text()
    data = json.loads(text)
    first, second = data["images"][:2]
    first["id"], second["id"] = second["id"], first["id"]
    try:
        annotations.write_text(json.dumps(data))
        name = Path(second["file_name"]).name
        with pytest.raises(UserError, match=rf"2 of 3 images.* '{name}' of .* now"):
            check_prepared(config)
        data["images"][:2] = [dict(first, id=second["id"]), dict(second, id=first["id"])]
        annotations.write_text(json.dumps(data, indent=1))  # another file that says the same
        check_prepared(config)
    finally:
        annotations.write_text(text)


def test_regions_of_an_earlier_version_say_less(prepared):
    """They have no digests; what their plan states is compared."""
    config = load_config(CONFIG, dict(data_root=str(prepared)))
    meta = read_meta(Path(config.regions))
    assert set(meta.origin) == {"network", "source", TEACHER_CHANGES}
    try:
        write_meta(Path(config.regions), replace(meta, origin={}))
        check_prepared(config)
    finally:
        write_meta(Path(config.regions), meta)


def test_the_digests_are_no_part_of_the_plan(prepared):
    config = load_config(CONFIG, dict(data_root=str(prepared)))
    meta = read_meta(Path(config.regions))
    assert replace(meta, origin={}).fingerprint == meta.fingerprint
    with pytest.raises(UserError, match="network"):
        replace(meta, origin={"network": "another"}).check_same(meta, Path(config.regions))


def test_the_header_is_read_with_its_origin(made):
    header = read_header(config_of(made).vocabulary)
    known = {"names", "split", "embeddings", "templates", TEACHER_CHANGES}
    assert {*header.origin} == known


def test_regions_and_captions_of_a_teacher_that_was_trained_again(prepared, tmp_path):
    folder = shutil.copytree(TEACHER_DIR, tmp_path / "teacher")
    options = {"data_root": str(prepared), "teacher.model": folder}
    config = load_config(CONFIG, options)
    check_prepared(config)  # they are of the one that ships, of which no files are known
    meta = read_meta(Path(config.regions))
    try:
        for files, fits in ((teacher_origin(config.teacher)[TEACHER_FILES], True), ("0", False)):
            write_meta(
                Path(config.regions), replace(meta, origin={**meta.origin, TEACHER_FILES: files})
            )
            if fits:
                check_prepared(config)
                continue
            with pytest.raises(UserError, match=r"regions\n +teacher's files: 0 there"):
                check_prepared(config)
    finally:
        write_meta(Path(config.regions), meta)
    (tmp_path / "a.json").write_text(
        json.dumps(dict(annotations=[dict(image_id=1, caption="a solid star")]))
    )
    said = str(tmp_path / "captions"), str(tmp_path / "a.json")
    prepare_captions(config, *said)
    prepare_captions(config, *said)
    weights = Path(folder, WEIGHTS_NAME)
    weights.write_bytes(weights.read_bytes() + b"0")
    with pytest.raises(UserError, match="teacher's files"):
        prepare_captions(config, *said)


def test_the_network_of_the_regions_is_known_however_its_path_is_spelled(prepared, monkeypatch):
    config = load_config(CONFIG, dict(data_root=str(prepared)))
    monkeypatch.chdir(prepared)
    relative = load_config(CONFIG, dict(data_root="."))
    path = Path(config.prepare.proposals.checkpoint)
    content = path.read_bytes()
    try:
        path.write_bytes(content + b"0")
        with pytest.raises(UserError, match="proposals: hash"):
            check_prepared(relative)
        copy = path.with_name("copy.pth")
        copy.write_bytes(content)
        same = {"prepare.proposals.options": {"model.test_cfg.rpn.max_per_img": 5}}
        same["prepare.proposals.checkpoint"] = str(copy)
        with pytest.raises(UserError, match="proposals: network"):
            check_prepared(load_config(CONFIG, {"data_root": ".", **same}))
        copy.write_bytes(content + b"1")  # another network at another place is another source
        check_prepared(load_config(CONFIG, {"data_root": ".", **same}))
    finally:
        path.write_bytes(content)
        copy.unlink()
