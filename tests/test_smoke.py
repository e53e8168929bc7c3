"""The main job on a handful of images: prepare, train, resume, test, publish, demo."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors import safe_open

from ovdistill.core.teacher_id import TeacherId
from ovdistill.inference.detector import Detector
from ovdistill.store import TeacherStore
from ovdistill.teacher import build_teacher
from ovdistill.vocabulary import Vocabulary
from ovdistill.vocabulary.learned_prompts import LearnedPrompts
from ovdistill.vocabulary.prompt_context import context_from_text

from .running import run

pytestmark = pytest.mark.slow  # each test runs whole commands

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "configs" / "vild_r18_shapes.py"
SMALL = [
    "train_cfg.max_iters=4",
    "train_cfg.val_interval=4",
    "train_dataloader.batch_size=2",
    "train_dataloader.num_workers=0",
    "train_dataloader.persistent_workers=False",
    "prepare.regions.per_image=4",
    "prepare.proposals.published=None",
    "prepare.proposals.options.train_cfg.max_iters=2",
    "prepare.proposals.options.train_dataloader.batch_size=2",
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a small data set and four iterations of training on it."""
    work = tmp_path_factory.mktemp("smoke")
    options = [f"data_root={work / 'data'}", *SMALL]
    run(
        "tools/make_shapes.py", "--root", work / "data",
        "--train", 8, "--val", 4, "--test", 4, "--workers", 1,
    )  # fmt: skip
    run(
        "tools/train.py", CONFIG, "--work-dir", work / "run", "--seed", 3, "--cfg-options", *options
    )
    return work


def test_training_leaves_data_logs_and_checkpoints(trained):
    data = trained / "data" / "shape" / "clip"
    assert {path.name for path in data.glob("*.safetensors")} == {"vocabulary.safetensors"}
    assert len(TeacherStore(data / "regions")) > 0
    assert (trained / "run" / "last.pth").resolve().name == "iter_4.pth"
    assert list((trained / "run").glob("*/vis_data/events*"))
    scalars = next((trained / "run").glob("*/vis_data/scalars.json")).read_text()
    assert "loss_vild_image" in scalars and "bbox/AP_novel" in scalars


def test_training_resumes(trained):
    options = [f"data_root={trained / 'data'}", *SMALL, "train_cfg.max_iters=6"]
    output = run(
        "tools/train.py",
        CONFIG,
        "--work-dir",
        trained / "run",
        "--resume",
        "--cfg-options",
        *options,
    )
    assert "resumed epoch: 0, iter: 4" in output
    assert (trained / "run" / "last.pth").resolve().name == "iter_6.pth"


def test_testing_writes_every_figure(trained):
    out = trained / "out"
    output = run(
        "tools/test.py", CONFIG, trained / "run" / "last.pth", "-o", out, "--show", 2,
        "--cfg-options", f"data_root={trained / 'data'}",
    )  # fmt: skip
    metrics = json.loads((out / "metrics.json").read_text())
    for kind in ("bbox", "segm"):
        for key in (
            *("AP", "AP50", "AP_base", "AP_novel", "AP50_base", "AP50_novel", "HM50"),
            *("APr", "APc", "APf"),
        ):
            assert -1 <= metrics[f"{kind}/{key}"] <= 100
    assert 0 <= metrics["proposal/AR100_novel"] <= 100
    assert "AP_novel" in output
    assert len(list((out / "images").rglob("*.png"))) == 2


def test_vocabulary_given_to_testing_is_used(trained, tmp_path):
    path = trained / "data" / "shape" / "clip" / "vocabulary.safetensors"
    whole = Vocabulary.load(path)
    few = Vocabulary(whole.names[:5], whole.embeddings[:5], whole.is_base[:5], whole.teacher)
    few.save(tmp_path / "few.safetensors")
    run(
        "tools/test.py", CONFIG, trained / "run" / "last.pth", "-o", tmp_path,
        "--split", "val", "--vocabulary", tmp_path / "few.safetensors",
        "--cfg-options", f"data_root={trained / 'data'}",
    )  # fmt: skip
    classes = json.loads((tmp_path / "per_category.json").read_text())
    assert [c["name"] for c in classes] == list(whole.names[:5])
    with safe_open(path, "pt") as file:
        assert file.metadata()


def test_batches_with_boxes_and_batches_with_captions_take_turns(trained, tmp_path):
    page = (ROOT / "docs" / "datasets.md").read_text()
    example = page.partition("tests/test_smoke.py trains -->\n```python\n")[2].partition("```")[0]
    config = tmp_path / "image_batches.py"
    config.write_text(example.replace('["', f'["{CONFIG.parent}/'))
    run(
        "tools/train.py", config, "--work-dir", tmp_path / "run", "--cfg-options",
        f"data_root={trained / 'data'}", *SMALL, "train_cfg.val_begin=100", "load_from=None",
        "train_dataloader.sampler.batch_size=2", "model.distillers.1.only_image_level=True",
        "default_hooks.logger.interval=1", "log_processor.window_size=1",
    )  # fmt: skip
    lines = next((tmp_path / "run").glob("*/vis_data/scalars.json")).read_text().splitlines()
    steps = [json.loads(line) for line in lines]
    with_boxes = [step["loss_cls"] > 0 and step["loss_rpn_cls"] > 0 for step in steps]
    assert with_boxes == [True, False, True, False]
    assert [step["loss_rkd_pseudo"] > 0 for step in steps] == [False, True, False, True]
    assert all(step["loss_rkd_point"] > 0 for step in steps)


def test_two_processes_prepare_train_and_test_together(trained, tmp_path):
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", 2)
    # another split than that of ``trained``: regions and all else are made by the two
    options = ["--cfg-options", f"data_root={trained / 'data'}", "split=compositional"]
    small = [value for value in SMALL if "published" not in value]
    output = run(
        *torchrun, "tools/train.py", CONFIG, "--launcher", "pytorch", "--work-dir", tmp_path,
        *options, *small,
    )  # fmt: skip
    assert "Distributed training: True" in output and "GPU number: 2" in output
    assert len(TeacherStore(trained / "data" / "compositional" / "clip" / "regions")) == 8
    run(
        *torchrun, "tools/test.py", CONFIG, tmp_path / "last.pth", "--launcher", "pytorch",
        "-o", tmp_path / "two", *options,
    )  # fmt: skip
    run("tools/test.py", CONFIG, tmp_path / "last.pth", "-o", tmp_path / "one", *options)
    together, alone = (
        json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("two", "one")
    )
    assert together == alone


@pytest.fixture
def learned(trained, tmp_path):
    """The vocabulary of the small data set, with prompts that could have been learned."""
    words = Vocabulary.load(trained / "data" / "shape" / "clip" / "vocabulary.safetensors")
    teacher = build_teacher(dict(model="ovshapes", embedding_map="ovshapes-clip"))
    context = context_from_text("an image of the", teacher.text_tower())
    prompts = LearnedPrompts(context[None], "end", words.teacher, "learned")
    path = tmp_path / "learned.safetensors"
    Vocabulary.encode(words.names, teacher, prompts, words.is_base).save(path)
    return path


@pytest.mark.parametrize("prompts", ["written", "learned"])
def test_published_student_finds_text(trained, prompts, tmp_path, request):
    own = [f"vocabulary={request.getfixturevalue('learned')}"] if prompts == "learned" else []
    folder = tmp_path / "published"
    run(
        "tools/publish.py", CONFIG, trained / "run" / "last.pth", "-o", folder, "--half",
        "--cfg-options", f"data_root={trained / 'data'}", *own,
    )  # fmt: skip
    student = Detector.from_pretrained(folder, device="cpu")
    words = student.set_vocabulary("red star, heart", background=None)
    template = "a photo of a {}." if prompts == "written" else "an image of the {}."
    expected = student.teacher.encode_text([template.format(name) for name in words.names])
    torch.testing.assert_close(words.embeddings, expected, atol=1e-5, rtol=0)

    image = next((trained / "data" / "images" / "test").glob("*.png"))
    run(
        "demo/image_demo.py", image, "--text", "red star, heart", "--score-threshold", 0.0,
        "--model", folder, "-o", tmp_path / "out",
    )  # fmt: skip
    report = json.loads((tmp_path / "out" / f"{image.stem}.json").read_text())
    assert report["queries"] == ["red star", "heart"]
    assert {o["name"] for o in report["objects"]} <= {"red star", "heart"}
    assert Image.open(tmp_path / "out" / image.name).width >= 128


def test_demo_without_arguments(tmp_path):
    run("demo/image_demo.py", "-o", tmp_path)
    (report,) = tmp_path.glob("*.json")
    found = json.loads(report.read_text())["objects"]
    assert found and max(o["score"] for o in found) > 0.5


def test_methods_are_compared(trained, tmp_path):
    rows = ("text", "text_crops", "rkd", "rkd_transfer")
    output = run(
        "tools/compare_methods.py", "-o", tmp_path, "--seeds", 1, "--jobs", 2, "--rows", *rows,
        "--data-root", trained / "data", "--cfg-options", *SMALL,
    )  # fmt: skip
    content = json.loads((tmp_path / "shape" / "clip" / "comparison.json").read_text())
    assert sorted(row["name"] for row in content["rows"]) == sorted(rows)
    for row in content["rows"]:
        (figures,) = row["runs"]
        assert figures["seconds"] > 0 and figures["memory"] > 0 and figures["test_seconds"] > 0
    assert "rkd_transfer, seed 0: done" in output
    # what is there is not run again
    again = tmp_path / "shape" / "clip" / "rkd" / "seed0" / "test" / "metrics.json"
    before = again.stat().st_mtime_ns
    run(
        "tools/compare_methods.py", "-o", tmp_path, "--seeds", 1, "--rows", "rkd",
        "--data-root", trained / "data", "--cfg-options", *SMALL,
    )  # fmt: skip
    assert again.stat().st_mtime_ns == before


BAD = {
    "missing annotations": (
        ["tools/train.py", "configs/vild_r50_lvis.py", "--cfg-options", "data_root={tmp}"],
        "{tmp}/annotations/lvis_v1_train.json",
    ),
    "missing config": (["tools/train.py", "configs/none.py"], "no config file"),
    "missing initial weights": (
        ["tools/train.py", "{config}", "--work-dir", "{tmp}", "--cfg-options", "data_root={data}"]
        + [*SMALL, "load_from={tmp}/none.pth"],
        "initial weights {tmp}/none.pth: no such file",
    ),
    "missing checkpoint": (
        ["tools/test.py", "{config}", "{tmp}/none.pth", "--cfg-options", "data_root={data}"],
        "no checkpoint",
    ),
    "checkpoint that is none": (
        [
            "tools/test.py",
            "{config}",
            "{config}",
            "-o",
            "{tmp}",
            "--cfg-options",
            "data_root={data}",
        ],
        "not a checkpoint",
    ),
    "missing vocabulary": (
        ["tools/test.py", "{config}", "{run}/last.pth", "--vocabulary", "{tmp}/none"],
        "there is no such file",
    ),
    "vocabulary of another width": (
        ["tools/test.py", "{config}", "{run}/last.pth", "--vocabulary", "{tmp}/narrow.safetensors"]
        + ["--cfg-options", "data_root={data}"],
        "width 128; the vocabulary of this config has width 8",
    ),
    "vocabulary of a teacher that the config does not name": (
        ["tools/test.py", "{config}", "{run}/last.pth", "--vocabulary", "{tmp}/other.safetensors"]
        + ["--cfg-options", "data_root={data}"],
        "was made by teacher other",
    ),
    "vocabulary of other weights of the teacher": (
        ["tools/test.py", "{config}", "{run}/last.pth", "-o", "{tmp}"]
        + ["--vocabulary", "{tmp}/retrained.safetensors", "--cfg-options", "data_root={data}"],
        "the vocabulary is of teacher ovshapes-rn+clip-gap (weights 0123)",
    ),
    "foreign vocabulary in the demo": (
        ["demo/image_demo.py", "--vocabulary", "{tmp}/retrained.safetensors", "-o", "{tmp}"],
        "model.safetensors was trained in an embedding space of width 18; the vocabulary",
    ),
    "teacher that cannot be fetched offline": (
        ["tools/train.py", "{config}", "--cfg-options", "data_root={data}"]
        + [
            *SMALL,
            "vocabulary={tmp}/v.safetensors",
            "teacher.model=ViT-B-32",
            "teacher.pretrained=openai",
        ],
        "HF_HUB_OFFLINE",
    ),
    "teacher of other weights": (
        ["tools/train.py", "{config}", "--cfg-options", "data_root={data}"]
        + [*SMALL, "vocabulary={tmp}/v.safetensors", "teacher.model=ViT-B-32"]
        + ["teacher.pretrained={data}/shape/clip/vocabulary.safetensors"],
        "do not load",
    ),
    "annotations without the split": (
        ["tools/train.py", "{config}", "--cfg-options", "data_root={data}"]
        + [*SMALL, "vocabulary={tmp}/v.safetensors", "prepare.vocabulary.split=lvis"]
        + ["prepare.vocabulary.names={tmp}/plain.json"],
        "frequenc",
    ),
    "corrupt image": (
        ["tools/test.py", "{config}", "{run}/last.pth", "-o", "{tmp}"]
        + ["--cfg-options", "data_root={data}", "test_dataloader.dataset.data_prefix.img={tmp}"],
        "cannot read image",
    ),
    "empty text": (["demo/image_demo.py", "--text", " , "], "no name"),
    "missing image": (["demo/image_demo.py", "{tmp}/none.png"], "none.png"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_message(name, trained, tmp_path):
    one = (
        ("striped star",),
        torch.eye(1, 8),
        torch.tensor([True]),
        TeacherId("ovshapes-rn+clip-gap"),
    )
    Vocabulary(*one).save(tmp_path / "narrow.safetensors")
    words = Vocabulary.load(trained / "data" / "shape" / "clip" / "vocabulary.safetensors")
    replace(words, teacher=TeacherId(words.teacher.name, "0123")).save(
        tmp_path / "retrained.safetensors"
    )
    replace(words, teacher=TeacherId("other", words.teacher.weights_hash + "?")).save(
        tmp_path / "other.safetensors"
    )
    (tmp_path / "plain.json").write_text(
        json.dumps(dict(images=[], annotations=[], categories=[dict(id=1, name="star")]))
    )
    for image in (trained / "data" / "images").glob("test/*.png"):
        (tmp_path / "test").mkdir(exist_ok=True)
        (tmp_path / "test" / image.name).write_bytes(image.read_bytes()[:100])

    command, message = BAD[name]
    words = dict(tmp=tmp_path, data=trained / "data", run=trained / "run", config=CONFIG)
    output = run(*(part.format(**words) for part in command), code=2)
    assert "error: " in output and message.format(**words) in output
    assert "Traceback" not in output
