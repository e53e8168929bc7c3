"""`ovdistill teacher adapt` on a few images of OVShapes: what it writes, and what is refused."""

import json
from pathlib import Path

import pytest
import torch

from ovdistill.commands import main
from ovdistill.commands.teacher.adapt.fine_tune import FineTuneOptions
from ovdistill.commands.teacher.adapt.inputs import find_inputs
from ovdistill.commands.teacher.adapt.options import AdaptOptions
from ovdistill.commands.teacher.adapt.regions import read_data
from ovdistill.commands.teacher.adapt.report import check_report_paths, report_paths
from ovdistill.commands.teacher_options import SHIPPED
from ovdistill.core.errors import UserError
from ovdistill.core.json_files import read_json
from ovdistill.ovshapes.generate import make_ovshapes
from ovdistill.store import Regions, write_store
from ovdistill.teacher import OpenCLIPTeacher, build_teacher
from ovdistill.teacher.teacher_folder import write_teacher_folder
from ovdistill.teacher_training.adapt.clip_adapter import ClipAdapterMethod
from ovdistill.teacher_training.adapt.tip_adapter import TipAdapterMethod
from ovdistill.vocabulary import Vocabulary

METHODS = {
    "clip-adapter": ("--epochs", "2"),
    "tip-adapter": (),
    "linear-probe": ("--epochs", "2", "--mix", "0.5"),
    "coop": ("--epochs", "1", "--context", "2"),
    "visual-prompt": ("--epochs", "1", "--place", "patch", "--width", "9"),
    "upt": ("--epochs", "1", "--visual", "2"),
}
VOCABULARIES = ("linear-probe", "coop")


class NeedsCrops(ClipAdapterMethod):
    needs_crops = True


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return make_ovshapes(tmp_path_factory.mktemp("shapes"), train=16, val=6, test=1, workers=1)


@pytest.fixture(scope="module")
def words(root):
    return ["--config", "vild_r18_shapes", "--cfg-options", f"data_root={root}", "--workers", "0"]


@pytest.fixture(scope="module")
def teacher():
    return build_teacher(SHIPPED["ovshapes"])


@pytest.fixture(scope="module")
def store(root, teacher, tmp_path_factory):
    """True boxes of all train objects, and a region beside them."""
    content = json.loads((root / "annotations" / "instances_train.json").read_text())
    generator = torch.Generator().manual_seed(0)
    records = []
    for image in content["images"]:
        own = [a["bbox"] for a in content["annotations"] if a["image_id"] == image["id"]]
        xywh = torch.tensor([*own, [0.0, 0.0, 3.0, 3.0]])
        boxes = torch.cat([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], dim=1)
        embeddings = torch.randn(len(boxes), teacher.embed_dim, generator=generator)
        embeddings = torch.nn.functional.normalize(embeddings, dim=1)
        records.append((image["id"], Regions(boxes, torch.ones(len(boxes)), embeddings)))
    folder = tmp_path_factory.mktemp("store") / "regions"
    return write_store(folder, records, teacher.id.to_header())


def options(root, **more):
    given = dict(config="vild_r18_shapes", cfg_options=(f"data_root={root}",), workers=0)
    return AdaptOptions(**(given | more), out=Path("x.safetensors"))


def adapt(method, *words):
    main.run(["teacher", "adapt", method, *map(str, words)])


@pytest.mark.parametrize("method", METHODS)
def test_every_method_writes_its_result_and_a_report(method, words, teacher, tmp_path, capsys):
    out = tmp_path / "field.safetensors"
    adapt(method, *words, "--shots", 2, *METHODS[method], "-o", out)
    assert {path.name for path in tmp_path.iterdir()} == {
        "field.safetensors", "field.json", "field.md",
    }  # fmt: skip
    found = read_json(tmp_path / "field.json", "report")
    assert found["method"] == method and found["shots"] == 2 and not found["unsupervised"]
    assert ("lr" in found["settings"]) == (method != "tip-adapter")
    figures = found["figures"]
    assert figures["before"]["base"] > 90 and 0 <= figures["after"]["novel"] <= 100
    counts = found["zero_shot"]["before"]["everything"]["top1"]["count"]
    assert counts == found["zero_shot"]["after"]["everything"]["top1"]["count"] > 10
    printed, text = capsys.readouterr().out, (tmp_path / "field.md").read_text()
    for shown in ("harmonic mean", "base names", found["source"]):
        assert shown in printed and shown in text
    if method not in VOCABULARIES:
        adapted = build_teacher(SHIPPED["ovshapes"] | dict(adapter=str(out)))
        assert found["teacher_hash"] == adapted.weights_hash != teacher.weights_hash
        assert found["teacher_before"] == teacher.id.to_header()
    else:
        assert Vocabulary.load(out).teacher == teacher.id


def test_a_tuned_teacher_is_a_folder_with_a_report(root, tmp_path, capsys):
    words = [*files_of(root), "--shots", 1]
    adapt("fine-tune", *words, "--epochs", 1, "--lora", 2, "--average", 0.5, "-o", tmp_path / "t")
    found = read_json(tmp_path / "t" / "adaptation.json", "report")
    tuned = build_teacher(dict(model=str(tmp_path / "t")))
    assert found["teacher_hash"] == tuned.weights_hash and found["teacher"] == tuned.name
    assert tuned.name.startswith("ovshapes-rn+fine-tune-") and found["settings"]["rank"] == 2
    assert [*found["variants"]] == ["average 0.25", "average 0.75", "average 1"]
    text, printed = (tmp_path / "t" / "adaptation.md").read_text(), capsys.readouterr().out
    assert "average 0.75" in text and "average 0.75" in printed
    with pytest.raises(UserError, match="embedding map"):  # the geometry of the recipes
        adapt("fine-tune", "--teacher", "ovshapes", *words[2:], "-o", tmp_path / "u")


def test_an_adapted_teacher_goes_through_other_commands(words, root, tmp_path, capsys):
    adapter = tmp_path / "field.safetensors"
    adapt("tip-adapter", *words, "--shots", 2, "--alpha", 1, "--beta", 5, "-o", adapter)
    report = read_json(tmp_path / "field.json", "report")
    own = ["--teacher", "ovshapes", "--adapter", adapter]
    annotations = root / "annotations" / "instances_val.json"
    main.run(
        ["vocab", "build", "--names", str(annotations), *map(str, own), "--split", "shape"]
        + ["-o", str(tmp_path / "names.safetensors")]
    )
    vocabulary = Vocabulary.load(tmp_path / "names.safetensors")
    assert vocabulary.teacher.weights_hash == report["teacher_hash"]
    assert vocabulary.embed_dim == 128 + int(vocabulary.is_base.sum()) + 2
    evaluate = ["teacher", "evaluate", *own, "--annotations", annotations, "--images"]
    evaluate += [root / "images", "--vocabulary", tmp_path / "names.safetensors", "--crops", "own"]
    main.run([*map(str, evaluate), "--no-probe", "-o", str(tmp_path / "e"), "--workers", "0"])
    figures = read_json(tmp_path / "e" / "teacher.json", "figures")["figures"]
    measured = figures["crops"][0]["zero_shot"]["base"]["top1"]["share"]
    assert measured * 100 == pytest.approx(report["figures"]["after"]["base"])
    with pytest.raises(UserError, match=r"names\.safetensors was made by"):
        main.run([*map(str, evaluate[:4]), *map(str, evaluate[6:])])  # without --adapter


def test_true_boxes_of_base_objects(root, teacher):
    chosen = options(root)
    inputs = find_inputs(chosen, teacher)
    data = read_data(chosen, ClipAdapterMethod(), inputs, teacher)
    everything = data.train.labels.tolist() + data.held_out.labels.tolist()
    is_base = inputs.vocabulary.is_base
    assert is_base[everything].all() and len(data.held_out) and data.train.crops is None
    truth = sum(int(is_base[own.labels].sum()) for own in inputs.train.objects.values())
    assert len(everything) == truth
    # the embeddings are those of the labels' names, as this teacher is good
    nearest = (data.train.embeddings @ inputs.vocabulary.embeddings.T).argmax(dim=1)
    assert (nearest == data.train.labels).float().mean() > 0.9


def test_shots_and_labels_of_the_teachers_own(root, teacher):
    few = options(root, shots=2, seed=3)
    inputs = find_inputs(few, teacher)
    data = read_data(few, ClipAdapterMethod(), inputs, teacher)
    assert data.train.labels.bincount().max() == 2 and "at most 2 of a class" in data.source
    again = read_data(few, ClipAdapterMethod(), inputs, teacher)
    assert torch.equal(again.train.embeddings, data.train.embeddings)
    alone = options(root, unsupervised=True, shots=1)
    data = read_data(alone, TipAdapterMethod(), inputs, teacher)
    assert data.train.labels.bincount().max() == 1 and data.unsupervised
    base = inputs.vocabulary.embeddings.clone()
    base[~inputs.vocabulary.is_base] = 0
    nearest = (data.train.embeddings @ base.T).argmax(dim=1)
    assert torch.equal(nearest, data.train.labels)
    # a method that needs few takes its own number
    assert (
        "at most 16 of a class"
        in read_data(options(root), TipAdapterMethod(), inputs, teacher).source
    )


def test_crops_are_what_the_teacher_embeds(root, teacher):
    chosen = options(root, shots=1)
    inputs = find_inputs(chosen, teacher)
    data = read_data(chosen, NeedsCrops(), inputs, teacher)
    assert len(data.train.crops) == len(data.train)
    embedded = teacher.embed_crops(data.train.crops.cut(torch.arange(20)))
    torch.testing.assert_close(embedded, data.train.embeddings[:20], atol=1e-4, rtol=0)


@pytest.mark.parametrize("unsupervised", [False, True])
def test_regions_of_a_store(root, store, teacher, unsupervised):
    chosen = options(root, store=(store,), unsupervised=unsupervised, shots=3)
    inputs = find_inputs(chosen, teacher)
    assert inputs.train is None
    data = read_data(chosen, ClipAdapterMethod(), inputs, teacher)
    assert inputs.vocabulary.is_base[data.train.labels].all()
    assert data.train.labels.bincount().max() <= 3 and str(store) in data.source
    torch.testing.assert_close(data.train.embeddings.norm(dim=1), torch.ones(len(data.train)))
    with pytest.raises(UserError, match="--store"):
        read_data(chosen, NeedsCrops(), inputs, teacher)
    with pytest.raises(UserError, match=r"made by teacher ovshapes-rn\+clip-gap"):
        read_data(chosen, ClipAdapterMethod(), inputs, build_teacher(dict(model="ovshapes")))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ([], "no teacher"),
        (["--teacher", "ovshapes"], "--annotations None"),
        (["--config", "vild_r18_shapes", "--images", "."], "--annotations None"),
        (["--config", "vild_r18_shapes", "--test-annotations", "x"], "--test-images None"),
        (["--config", "vild_r18_shapes", "--vocabulary", "none"], "--vocabulary none"),
        (["--config", "vild_r18_shapes", "--store", "none"], "--store none"),
        (["--config", "vild_r18_shapes", "--shots", "0"], "--shots 0"),
        (["--config", "vild_r18_shapes", "--lr", "0"], "lr = 0"),
    ],
)
def test_choices_that_cannot_be(more, message, tmp_path):
    with pytest.raises(UserError, match=message):
        adapt("clip-adapter", *more, "-o", tmp_path / "a.safetensors")


def test_nothing_is_set_of_a_training_that_there_is_not(words, tmp_path):
    given = [*words, "--epochs", 1, "--lr", 0.1, "-o", tmp_path / "a.safetensors"]
    with pytest.raises(UserError, match="--epochs, --lr without --train-keys"):
        adapt("tip-adapter", *given)


def test_the_result_does_not_take_the_name_of_its_report(words, tmp_path):
    with pytest.raises(UserError, match=r"field\.json"):
        adapt("clip-adapter", *words, "-o", tmp_path / "field.json")


def test_without_a_config(root, tmp_path):
    train, val = (root / "annotations" / f"instances_{name}.json" for name in ("train", "val"))
    out = tmp_path / "field.safetensors"
    adapt(
        "linear-probe", "--teacher", "ovshapes-plain", "--annotations", train, "--images",
        root / "images", "--test-annotations", val, "--test-images", root / "images",
        "--novel", "shape", "--epochs", 1, "--shots", 1, "--max-test-images", 4, "-o", out,
        "--workers", 0,
    )  # fmt: skip
    vocabulary = Vocabulary.load(out)
    assert len(vocabulary) == 65 and int((~vocabulary.is_base).sum()) == 15
    with pytest.raises(UserError, match="all class names are novel"):
        adapt(
            "linear-probe", "--teacher", "ovshapes-plain", "--annotations", train, "--images",
            root / "images", "--test-annotations", val, "--test-images", root / "images",
            "--novel", val, "-o", out,
        )  # fmt: skip


def files_of(root):
    annotations, images = root / "annotations", root / "images"
    words = ["--teacher", "ovshapes-plain", "--annotations", annotations / "instances_train.json"]
    words += ["--images", images, "--test-annotations", annotations / "instances_val.json"]
    return [*words, "--test-images", images, "--split", "shape", "--workers", 0]


def test_what_diverges_is_not_written(root, tmp_path):
    with pytest.raises(UserError, match="nothing is written.*lower --lr"):
        adapt("clip-adapter", *files_of(root), "--lr", 1e30, "-o", tmp_path / "a.safetensors")
    assert not [*tmp_path.iterdir()]


def test_a_report_replaces_nothing_but_a_report(root, tmp_path):
    (tmp_path / "a.json").write_text('{"images": []}')
    with pytest.raises(UserError, match="a.json is there, and no report"):
        adapt("clip-adapter", *files_of(root), "-o", tmp_path / "a.safetensors")
    assert (tmp_path / "a.json").read_text() == '{"images": []}'
    beside = (tmp_path / "v1.0.json", tmp_path / "v1.0.md")
    assert report_paths(tmp_path / "v1.0", folder=False) == beside


def test_the_report_of_a_new_folder_lies_in_it(tmp_path):
    (tmp_path / "tuned.md").write_text("notes")
    check_report_paths(tmp_path / "tuned", folder=FineTuneOptions(out=tmp_path).result_is_folder)


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("fine-tune", "--teacher {}"),
        ("fine-tune", "--teacher {} --random-weights"),
        ("fine-tune", "--teacher RN50:{}/open_clip_model.safetensors"),
        ("fine-tune", "--teacher RN50:openai={}/open_clip_model.safetensors"),
        ("fine-tune", "--config vild_r18_shapes --cfg-options teacher.model={}"),
        ("clip-adapter", "--config vild_r18_shapes --adapter {}"),
        ("clip-adapter", "--config vild_r18_shapes --cfg-options teacher.adapter={}"),
    ],
)
def test_the_result_does_not_replace_its_teacher(root, tmp_path, method, words):
    own = tmp_path / "own"
    if method == "fine-tune":
        write_teacher_folder(own, OpenCLIPTeacher("ovshapes"))
    else:
        own.touch()
    with pytest.raises(UserError, match="of which the teacher is made"):
        adapt(method, *words.format(own).split(), *files_of(root)[2:], "-o", own)


@pytest.mark.parametrize("words", ["--vocabulary {}", "--cfg-options vocabulary={}"])
def test_the_result_does_not_replace_its_names(root, tmp_path, words):
    names = tmp_path / "names.safetensors"
    names.touch()
    given = ["--config", "vild_r18_shapes", *words.format(names).split(), *files_of(root)[2:]]
    given = [word for word in given if word not in ("--split", "shape")]
    with pytest.raises(UserError, match="names.safetensors, which has the class names"):
        adapt("clip-adapter", *given, "-o", names)
    assert names.read_bytes() == b"" and [*tmp_path.iterdir()] == [names]


def test_what_is_learned_from_is_not_measured_on(root, tmp_path):
    words = files_of(root)
    same = root / "images" / ".." / "annotations" / "instances_train.json"
    words[words.index("--test-annotations") + 1] = same
    with pytest.raises(UserError, match="expected a file of other images"):
        adapt("clip-adapter", *words, "-o", tmp_path / "a.safetensors")


def test_a_probe_is_no_vocabulary_to_encode_again(root, tmp_path):
    probe = tmp_path / "probe.safetensors"
    adapt("linear-probe", *files_of(root), "--epochs", 1, "-o", probe)
    words = [word for word in files_of(root) if word not in ("--split", "shape")]
    with pytest.raises(UserError, match="adapted by linear-probe"):
        adapt("clip-adapter", *words, "--vocabulary", probe, "-o", tmp_path / "a.safetensors")
