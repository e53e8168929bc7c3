"""`ovdistill teacher train` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from ovdistill.commands.main import run
from ovdistill.core.errors import UserError
from ovdistill.teacher import OpenCLIPTeacher
from ovdistill.vocabulary import Vocabulary

from ...running import run as run_tool
from ...teacher_training import tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("teacher")
    tiny.write_pairs(folder)
    write_config(folder / "tiny.py", tiny.config(folder))
    return folder


def write_config(path: Path, config: dict[str, Any]) -> Path:
    path.write_text("\n".join(f"{key} = {value!r}" for key, value in config.items()))
    return path


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return OpenCLIPTeacher(str(folder)).model.state_dict()


def test_train_resume_and_use(folder, tmp_path) -> None:
    command = ("-m", "ovdistill", "teacher", "train", "--config", folder / "tiny.py")
    output = run_tool(*command, "-o", tmp_path / "whole")
    assert f"wrote {tmp_path / 'whole'}" in output and "step 4 of 4: loss_image_text" in output
    assert "WARNING" not in output
    part = tmp_path / "part"
    run(["teacher", "train", "--config", str(folder / "tiny.py"), "-o", str(part)])
    for name in ("checkpoints/step_00000004", "open_clip_model.safetensors"):
        (part / name).rename(part / name.replace("/", "_").replace(".", "_"))
    run(["teacher", "train", "--config", str(folder / "tiny.py"), "-o", str(part), "--resume"])
    whole, resumed = weights(tmp_path / "whole"), weights(part)
    assert all(torch.equal(value, resumed[name]) for name, value in whole.items())
    build = f"vocab build --names cat,dog --teacher {part} -o {tmp_path / 'v.safetensors'}"
    run(build.split())
    vocabulary = Vocabulary.load(tmp_path / "v.safetensors")
    assert vocabulary.teacher.name == "tiny" and vocabulary.embed_dim == 8


def test_overrides_and_bad_images(folder, tmp_path) -> None:
    table = folder / "missing.csv"
    rows = (folder / "pairs.csv").read_text().splitlines()
    table.write_text("\n".join([*rows[:20], "none.png,a cat,red"]))
    options = [f"data.0.file={table}", "training.steps=5"]
    words = ["teacher", "train", "--config", str(folder / "tiny.py"), "-o", str(tmp_path / "out")]
    words += ["--cfg-options", *options]
    with pytest.raises(UserError, match=r"none\.png.*--max-bad-images"):
        run(words)
    run([*words, "--max-bad-images", "1"])
    assert "none.png" in (tmp_path / "out" / "bad_images.txt").read_text()
    origin = json.loads((tmp_path / "out" / "provenance.json").read_text())
    assert origin["training"]["training"]["max_bad_images"] == 1


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"data.0.text_column": "txt"}, "has no 'txt'.*did you mean text"),
        ({"data.0.file": "none.csv"}, "none.csv"),
        ({"objectives.0.type": "ImageTextContrastiv"}, "did you mean ImageTextContrastive"),
        ({"training.step": 3}, "did you mean steps"),
        ({"training.part": 3}, "no multiple of training.part 3"),
        ({"training.batch": 0}, "training.batch is 0"),
        ({"training.precision": "fp16"}, "fp32 or bf16"),
        ({"training.learning_rate": -1}, "learning_rate is -1"),
        ({"objectiv": 3}, "nothing reads; did you mean objectives"),
        ({"model.model.embed_dim": None}, "do not load"),
        ({"held_out": {"type": "PairTable", "file": "pairs.csv"}}, "held_out.*without classes"),
        ({"augmentation": {"area": (2, 3)}}, "area"),
        ({"augmentation": {"crop": 3}}, "crop"),
    ],
)
def test_bad_configs(folder, tmp_path, monkeypatch, changes: dict, match: str) -> None:
    monkeypatch.chdir(folder)
    config = tiny.config(folder)
    for key, value in changes.items():
        place: Any = config
        *parts, last = key.split(".")
        for part in parts:
            place = place[int(part) if part.isdecimal() else part]
        place[last] = value
    path = write_config(tmp_path / "bad.py", config)
    with pytest.raises(UserError, match=match) as caught:
        run(["teacher", "train", "--config", str(path), "-o", str(tmp_path / "out")])
    assert "\n" not in str(caught.value) and caught.value.exit_code == 2


def test_missing_parts_and_other_kinds_of_config(folder, tmp_path) -> None:
    path = write_config(tmp_path / "c.py", dict(model=tiny.model()))
    for words, match in (
        (["--config", str(path)], "no data, objectives, training"),
        (["--config", "vild_r18_shapes"], "ovdistill train"),
    ):
        with pytest.raises(UserError, match=match):
            run(["teacher", "train", *words, "-o", str(tmp_path / "out")])
    with pytest.raises(UserError, match="ovdistill teacher train --config teacher_shapes"):
        run(["train", "teacher_shapes", "--work-dir", str(tmp_path / "out")])


@pytest.mark.slow
def test_the_recipe_of_the_embedded_benchmark(tmp_path) -> None:
    options = "training.steps=2 training.batch=65 data.images=4000"
    words = f"teacher train --config teacher_shapes -o {tmp_path / 'out'} --cfg-options {options}"
    run(words.split())
    teacher = OpenCLIPTeacher(str(tmp_path / "out"))
    assert teacher.name == "ovshapes-rn" and teacher.embed_dim == 128


def test_two_processes(folder, tmp_path) -> None:
    out = tmp_path / "out"
    launch = ("-m", "torch.distributed.run", "--nproc_per_node", 2, "--master_port", 29571)
    command = ("-m", "ovdistill", "teacher", "train", "--config", folder / "tiny.py", "-o", out)
    output = run_tool(
        *(*launch, *command, "--launcher", "pytorch", "--cfg-options"),
        *("training.batch=4", "training.steps=2"),
    )
    assert output.count(f"wrote {out}\n") == 1
    run([*map(str, command[2:-1]), str(tmp_path / "one"), "--cfg-options", "training.steps=2"])
    texts = ["a red cat", "a blue dog"]
    two, one = (OpenCLIPTeacher(str(f)).encode_text(texts) for f in (out, tmp_path / "one"))
    torch.testing.assert_close(two, one, atol=1e-5, rtol=0)
