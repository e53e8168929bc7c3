"""The folder of a published detector."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config

from ovdistill import Detector, Segmentor
from ovdistill.core.assets import STUDENT_CONFIG
from ovdistill.core.errors import UserError
from ovdistill.core.recipes import find_recipe
from ovdistill.core.teacher_id import TeacherId
from ovdistill.inference.calibration import CALIBRATION, Calibration
from ovdistill.inference.hub import copy_detector
from ovdistill.inference.model_kind import dense_scale
from ovdistill.inference.packed_teacher import check_packed_teacher, pack_teacher
from ovdistill.inference.packing import About, pack_detector, published_part, write_config
from ovdistill.inference.pretrained import DetectorFiles, find_detector
from ovdistill.models.build import build_detector, load_weights
from ovdistill.models.config import load_config
from ovdistill.models.published_config import encoded, read_published, reason_against
from ovdistill.teacher import (
    ClipAdapter,
    NamedAdapter,
    OpenCLIPTeacher,
    build_teacher,
    write_adapter,
)
from ovdistill.teacher.teacher_folder import write_teacher_folder
from ovdistill.vocabulary import Vocabulary

from ..batches import build, make_vocabulary
from ..stand_in import TextsByLength

HOSTILE = '"""\nraise SystemExit\n{{ fileDirname }} \\N \u2028 {}'


def content(templates: Any = "single") -> dict[str, Any]:
    own = read_published(STUDENT_CONFIG)
    return own | dict(prepare=dict(vocabulary=dict(templates=templates)))


def test_a_detector_of_ours_is_data(tmp_path: Path) -> None:
    written = content([HOSTILE])
    assert write_config(tmp_path, written) == tmp_path / "config.json"
    assert read_published(tmp_path / "config.json") == written


def test_a_detector_with_own_parts_is_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "parts_of_mine.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    written = content([HOSTILE])
    written["model"]["backbone"]["type"] = "MyBackbone"
    assert write_config(tmp_path, dict(written), dict(imports=["parts_of_mine"])).suffix == ".py"
    config = load_config(tmp_path / "config.py").to_dict()
    assert config["custom_imports"] == dict(imports=["parts_of_mine"])
    assert all(config[key] == written[key] for key in ("model", "test_pipeline", "prepare"))


@pytest.mark.parametrize("recipe", ["vouch_r18_shapes", "hierkd_atss_r18_shapes"])
def test_what_a_folder_holds(recipe: str, tmp_path: Path) -> None:
    vocabulary = make_vocabulary(5)
    vocabulary.save(tmp_path / "vocabulary.safetensors")
    model = build(recipe, vocabulary)
    overrides = {"vocabulary": str(tmp_path / "vocabulary.safetensors")}
    about = About(recipe, {"bbox/AP_novel": 51.25, "bbox/AP": 60.0}, "Use it\nwell.\n")
    written = pack_detector(load_config(recipe, overrides), model, tmp_path / "out", about)
    assert written[-1].name == "config.json"  # last, so that no config names files in vain
    files = find_detector(tmp_path / "out")
    assert Vocabulary.load(files.vocabulary).names == vocabulary.names
    found = build_detector(load_config(files.config), files.weights, vocabulary)
    # what terms learned serves training alone
    names = {name for name in model.state_dict() if "distillers" not in name}
    assert names == set(found.state_dict()) != set(model.state_dict())
    load_weights(build(recipe, vocabulary), files.weights)  # its own config can be tested with them
    card = (tmp_path / "out" / "README.md").read_text()
    assert recipe in card and "| boxes | 60.0 | 51.2 |" in card and "license: other" in card
    assert (tmp_path / "out" / "LICENSE").read_text() == "Use it\nwell.\n"
    Calibration(2.0, 0.0).save(tmp_path / "out" / CALIBRATION)  # of the weights that were written
    again = pack_detector(load_config(recipe, overrides), model, tmp_path / "out", About("x", {}))
    assert {*(tmp_path / "out").iterdir()} == {*again}


@pytest.mark.parametrize("recipe", ["maskclip_dense_r18_shapes", "maskword_r18_shapes"])
def test_a_segmentor_is_published_and_loaded(recipe: str, tmp_path: Path) -> None:
    known = Vocabulary.encode(["sky", "road", "ring"], TextsByLength(), ("{}",))
    known.save(tmp_path / "vocabulary.safetensors")
    overrides = {"vocabulary": str(tmp_path / "vocabulary.safetensors")}
    config = load_config(recipe, overrides)
    model = build_detector(config, vocabulary=known)
    about = About(recipe, {"semantic/mIoU": 40.0, "semantic/uIoU": 12.25})
    written = pack_detector(config, model, tmp_path / "out", about)
    assert written[-1].name == "config.json"
    assert "init_cfg" not in read_published(written[-1])["model"].get("detector", {})
    card = (tmp_path / "out" / "README.md").read_text()
    assert "| label maps | 40.0 | 12.2 |" in card and "image-segmentation" in card
    image = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    segmentor = Segmentor.from_pretrained(tmp_path / "out", device="cpu", teacher=TextsByLength())
    own = Segmentor(
        DetectorFiles(find_recipe(recipe), tmp_path / "out" / "model.safetensors"),
        "cpu", TextsByLength(), overrides,
    )  # fmt: skip
    found, expected = segmentor.predict(image), own.predict(image)
    assert found.names == expected.names == ("sky", "road", "ring")
    np.testing.assert_array_equal(found.confidence, expected.confidence)


def test_a_segmentor_that_needs_its_teacher_says_how_fine_it_looks() -> None:
    hooks = [dict(type="BuildDenseTeacher", scale=2.0)]
    overrides = {"model.teacher_share": (0.5, 0.5), "custom_hooks": hooks}
    content = published_part(load_config("maskword_r18_shapes", overrides))
    assert reason_against(encoded(content)) is None
    assert dense_scale(Config(content)) == 2.0
    assert "dense_scale" in str(reason_against(content | {"dense_scale": "2"}))


def test_what_only_this_machine_has_of_a_teacher_is_packed(tmp_path: Path) -> None:
    """A tuned teacher, an adapter behind it, and a map: none is there when the folder is loaded."""
    mine = tmp_path / "mine"
    base = OpenCLIPTeacher("ovshapes")
    weights = {name: value.clone() for name, value in base.model.state_dict().items()}
    weights["text_projection"] += 0.01
    write_teacher_folder(mine / "tuned", base.with_weights(weights, "tuned"))
    options: dict[str, Any] = dict(model=str(mine / "tuned"))
    adapter = ClipAdapter(base.embed_dim, text_ratio=0.5)
    tuned = build_teacher(options).id
    write_adapter(mine / "own.safetensors", NamedAdapter("own", tuned, adapter))
    options["adapter"] = str(mine / "own.safetensors")
    teacher = build_teacher(options)
    vocabulary = Vocabulary.encode(["star", "ring"], teacher, ("{}",))
    vocabulary.save(mine / "vocabulary.safetensors")
    config = load_config("vild_r18_shapes", {"vocabulary": str(mine / "vocabulary.safetensors")})
    config.teacher = options
    model = build_detector(config, vocabulary=vocabulary)
    pack_detector(config, model, tmp_path / "out", About("vild_r18_shapes", {}))
    expected = teacher.encode_text(["a red star"])
    shutil.rmtree(mine)
    copy_detector(find_detector(tmp_path / "out"), tmp_path / "copy")
    for folder in (tmp_path / "out", tmp_path / "copy"):
        found = Detector.from_pretrained(folder, device="cpu")
        assert found.teacher.id == teacher.id
        assert torch.equal(found.teacher.encode_text(["a red star"]), expected)
        assert found.set_vocabulary("star, ring", None).names == ("star", "ring")


def test_a_detector_is_published_again_into_its_own_folder(tmp_path: Path) -> None:
    """Its teacher's adapter, the second one there, becomes the first and only one."""
    base = build_teacher(dict(model="ovshapes"))
    out = tmp_path / "out"
    out.mkdir()
    adapter = NamedAdapter("own", base.id, ClipAdapter(base.embed_dim))
    write_adapter(out / "adapter-1.safetensors", adapter)
    (out / "model.safetensors").write_text("the former detector")
    teacher = dict(model="ovshapes", adapter=str(out / "adapter-1.safetensors"))
    vocabulary = Vocabulary.encode(["star", "ring"], build_teacher(teacher), ("{}",))
    vocabulary.save(tmp_path / "v.safetensors")
    config = load_config("vild_r18_shapes", {"vocabulary": str(tmp_path / "v.safetensors")})
    config.teacher = teacher
    model = build_detector(config, vocabulary=vocabulary)
    written = pack_detector(config, model, out, About("x", {}))
    assert {*out.iterdir()} == {*written} and out / "adapter-0.safetensors" in written
    assert Detector.from_pretrained(out, device="cpu").teacher.id == vocabulary.teacher


def test_names_of_a_teacher_stay_names(tmp_path: Path) -> None:
    teacher = dict(model="ovshapes", embedding_map=["ovshapes-clip"], adapter=None)
    assert pack_teacher(teacher, tmp_path / "out") == (teacher, [])
    assert not (tmp_path / "out").exists()
    plain = dict(model="ovshapes", embedding_map="ovshapes-plain")
    assert pack_teacher(plain, tmp_path / "out") == (plain, [])


@pytest.mark.parametrize("kind", ["adapter", "embedding_map"])
def test_a_file_of_a_teacher_that_is_gone_is_an_error(kind: str, tmp_path: Path) -> None:
    teacher = {"model": "ovshapes", kind: [str(tmp_path / "gone.safetensors")]}
    with pytest.raises(UserError, match=rf"gone.safetensors, which teacher\.{kind}"):
        check_packed_teacher(teacher, TeacherId("any"))


def test_a_teacher_that_the_detector_was_not_trained_with_is_not_packed(tmp_path: Path) -> None:
    base = build_teacher(dict(model="ovshapes"))
    path = tmp_path / "a.safetensors"
    write_adapter(path, NamedAdapter("a", base.id, ClipAdapter(base.embed_dim)))
    teacher = dict(model="ovshapes", adapter=str(path))
    check_packed_teacher(teacher, build_teacher(teacher).id)
    with pytest.raises(UserError, match=r"config's teacher is ovshapes-rn\+a-.*trained with ovsh"):
        check_packed_teacher(teacher, base.id)
    path.write_text("nothing")
    with pytest.raises(UserError, match="damaged"):
        check_packed_teacher(teacher, base.id)


def test_a_folder_called_like_the_shipped_teacher(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ovshapes").mkdir()
    teacher = dict(model="ovshapes")
    assert pack_teacher(teacher, tmp_path / "out") == (teacher, [])


def test_half_precision(tmp_path: Path) -> None:
    vocabulary = make_vocabulary(3)
    vocabulary.save(tmp_path / "vocabulary.safetensors")
    overrides = {"vocabulary": str(tmp_path / "vocabulary.safetensors")}
    config = load_config("vild_r18_shapes", overrides)
    model = build("vild_r18_shapes", vocabulary)
    whole, half = tmp_path / "whole", tmp_path / "half"
    pack_detector(config, model, whole, About("x", {}))
    pack_detector(config, model, half, About("x", {}), half=True)
    sizes = [(folder / "model.safetensors").stat().st_size for folder in (whole, half)]
    assert sizes[1] < 0.6 * sizes[0]
    found = build_detector(
        load_config(half / "config.json"), half / "model.safetensors", vocabulary
    )
    for name, value in found.state_dict().items():
        torch.testing.assert_close(value, model.state_dict()[name], atol=2e-3, rtol=2e-3)
