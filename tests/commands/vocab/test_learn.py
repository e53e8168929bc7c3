"""The command from end to end on a few drawn images, with the embedded teacher."""

import contextlib
import io
import json
from pathlib import Path

import cv2
import pytest
import torch

from ovdistill.commands import main
from ovdistill.core.errors import UserError
from ovdistill.extraction.prepare import prepare_vocabulary
from ovdistill.models.build import build_detector
from ovdistill.models.config import load_config
from ovdistill.ovshapes.generate import make_ovshapes
from ovdistill.store import Regions, write_store
from ovdistill.teacher import build_teacher
from ovdistill.vocabulary import Vocabulary

CONFIGS = Path(__file__).parents[3] / "configs"
CONFIG = str(CONFIGS / "vild_r18_shapes.py")
QUICK = ["--context", "2", "--epochs", "2", "--bins", "single", "--background", "1"]


def learn(*words):
    """Run the command in this process."""
    main.run(["vocab", "learn", *words])


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Images, a vocabulary, and a store of ground truth boxes, each also moved by some pixels."""
    root = tmp_path_factory.mktemp("shapes")
    make_ovshapes(root, train=20, val=2, test=2, workers=1)
    config = load_config(CONFIG, {"data_root": str(root)})
    prepare_vocabulary(config, **config.prepare.vocabulary)
    teacher = build_teacher(config.teacher)
    content = json.loads((root / "annotations/instances_train.json").read_text())
    records = []
    for image in content["images"]:
        own = [a["bbox"] for a in content["annotations"] if a["image_id"] == image["id"]]
        xywh = torch.tensor(own)
        boxes = torch.cat([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], dim=1)
        boxes = torch.cat([boxes, boxes + 5, boxes + 12])
        pixels = cv2.imread(str(root / "images" / image["file_name"]))[..., ::-1].copy()
        embeddings = teacher.encode_regions(torch.from_numpy(pixels).permute(2, 0, 1), boxes)
        records.append((image["id"], Regions(boxes, torch.ones(len(boxes)), embeddings)))
    write_store(config.prepare.regions.path, records, teacher.id.to_header())
    return root


@pytest.fixture(scope="module")
def options(root):
    return ["--config", CONFIG, "--cfg-options", f"data_root={root}"]


@pytest.fixture(scope="module")
def learned_file(root, options):
    """What the command writes and prints."""
    out, printed = root / "learned.safetensors", io.StringIO()
    with contextlib.redirect_stdout(printed):
        learn(*options, *QUICK, "-o", str(out))
    return out, printed.getvalue()


def test_with_a_config(root, learned_file):
    out, printed = learned_file
    assert "18 images; 2 are held out" in printed
    assert "IoU 0.5 to 1: epoch 2 of 2: loss" in printed
    assert all(f"\n| {name} | " in printed for name in ("learned", "single", "vild63"))
    learned = Vocabulary.load(out)
    written = Vocabulary.load(root / "shape/clip/vocabulary.safetensors")
    assert (learned.names, learned.teacher) == (written.names, written.teacher)
    assert torch.equal(learned.is_base, written.is_base)
    (template,) = learned.templates
    assert template.startswith("learned: 2 context vectors") and "/regions" in template

    # any config takes the file in place of its own words
    config = load_config(CONFIG, {"data_root": str(root), "vocabulary": str(out)})
    detector = build_detector(config)
    torch.testing.assert_close(
        detector.vocabulary.embeddings, learned.embeddings, atol=1e-6, rtol=0
    )


def test_the_file_s_prompts_embed_other_names_too(learned_file, tmp_path, capsys):
    learned, out = learned_file[0], tmp_path / "more.safetensors"
    options = ["--templates", str(learned), "--teacher", "ovshapes", "-o", str(out)]
    main.run(["vocab", "build", "--names", "solid star, a moon", *options])
    words, more = Vocabulary.load(learned), Vocabulary.load(out)
    assert more.templates == words.templates
    row = words.names.index("solid star")
    torch.testing.assert_close(more.embeddings[0], words.embeddings[row], atol=1e-6, rtol=0)

    capsys.readouterr()
    query = ["--text", "solid star", "--teacher", "ovshapes", "--limit", "1"]
    main.run(["vocab", "nearest", str(learned), *query])
    assert capsys.readouterr().out == "1.000\tsolid star\n"


def test_the_same_seed_and_sources_give_the_same_embeddings(root, learned_file, tmp_path):
    named = [
        "--teacher",
        "ovshapes",
        "--vocabulary",
        str(root / "shape/clip/vocabulary.safetensors"),
    ]
    named += ["--annotations", str(root / "annotations/instances_train.json")]
    named += ["--store", str(root / "shape/clip/regions")]
    learn(*named, *QUICK, "-o", str(tmp_path / "out"))
    first, again = Vocabulary.load(learned_file[0]), Vocabulary.load(tmp_path / "out")
    assert torch.equal(first.embeddings, again.embeddings)
    assert first.templates == again.templates


def test_a_file_is_replaced_on_request_only(options, tmp_path):
    out = tmp_path / "mine.safetensors"
    out.write_text("kept")
    with pytest.raises(UserError, match=r"mine.safetensors.*--force"):
        learn(*options, "-o", str(out))
    with pytest.raises(UserError, match="no store"):  # which comes next
        learn("--config", str(CONFIGS / "vild_text_r18_shapes.py"), "-o", str(out), "--force")
    assert out.read_text() == "kept"


def test_missing_sources(tmp_path):
    out = ["-o", str(tmp_path / "out")]
    with pytest.raises(UserError, match="no vocabulary to learn prompts from .no --config.; give"):
        learn("--teacher", "ovshapes", *out)
    text_only = str(CONFIGS / "vild_text_r18_shapes.py")
    with pytest.raises(UserError, match=r"no store .*vild_text.* has none.; give --store PATH"):
        learn("--config", text_only, *out)


def test_regions_of_another_teacher(root, options, tmp_path):
    header = dict(teacher="ViT-B-32:openai", teacher_hash="abc")
    records = [(1, Regions(torch.zeros(1, 4), torch.ones(1), torch.ones(1, 128)))]
    path = write_store(tmp_path / "other", records, header)
    with pytest.raises(UserError, match=r"ViT-B-32:openai .weights abc.; got teacher ovshapes-rn"):
        learn(*options, "--store", str(path), "-o", str(tmp_path / "out"))


def test_a_config_that_is_not_prepared(tmp_path):
    where = ["--cfg-options", f"data_root={tmp_path}"]
    with pytest.raises(UserError, match=r"no .*vocabulary\.safetensors and no .*prepare vild_r18"):
        learn("--config", "vild_r18_shapes", *where, "-o", str(tmp_path / "out.safetensors"))


def test_options_of_the_config_reach_its_teacher(options, tmp_path):
    with pytest.raises(UserError, match="no teacher directory 'nowhere'"):
        learn(*options, "teacher.model=./nowhere", "-o", str(tmp_path / "out"))


def test_context_or_words_to_start_from(options, tmp_path):
    with pytest.raises(UserError, match="--context and --init"):
        learn(*options, "--context", "4", "--init", "a photo of a", "-o", str(tmp_path / "out"))
