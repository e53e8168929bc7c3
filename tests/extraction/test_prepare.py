"""What training needs is made once, and of one teacher only."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.core.vocabulary_header import read_header
from ovdistill.extraction import captions
from ovdistill.extraction import prepare_vocabulary as vocabularies
from ovdistill.extraction.prepare import (
    check_teachers,
    prepare,
    prepare_data,
    prepare_regions,
    prepare_vocabulary,
)
from ovdistill.extraction.steps import run_step
from ovdistill.models.config import load_config
from ovdistill.ovshapes.generate import make_ovshapes
from ovdistill.store import Regions, verified, write_store
from ovdistill.teacher import NamedAdapter, UnifiedPrompts, build_teacher, write_adapter
from ovdistill.vocabulary import Vocabulary

CONFIG = "vild_r18_shapes"
NAME = "ovshapes-rn+clip-gap"


def test_the_vocabulary_is_made_once_and_only_of_the_configs_teacher(tmp_path):
    options = dict(data_root=str(tmp_path), split="dotted ring")
    options["prepare.vocabulary.names"] = "solid star, dotted ring"
    config = load_config(CONFIG, options)
    prepare_vocabulary(config, **config.prepare.vocabulary)
    path = Path(config.vocabulary)
    vocabulary = Vocabulary.load(path)
    assert (vocabulary.teacher.name, vocabulary.is_base.tolist()) == (NAME, [True, False])
    before = path.stat().st_mtime_ns
    prepare_vocabulary(config, **config.prepare.vocabulary)
    assert path.stat().st_mtime_ns == before
    config.teacher = dict(model="ViT-B-32", pretrained="openai")  # whose weights are not needed
    with pytest.raises(UserError, match=r"ovshapes-rn.*ViT-B-32:openai"):
        prepare_vocabulary(config, **config.prepare.vocabulary)


def test_texts_are_embedded_where_there_is_a_gpu(tmp_path, monkeypatch):
    chosen, used = torch.device("cpu"), []

    def build(options, device="none was chosen"):
        used.append(device)
        return build_teacher(options, "cpu")

    for module in (captions, vocabularies):
        monkeypatch.setattr(module, "choose_device", lambda: chosen)
        monkeypatch.setattr(module, "build_teacher", build)
    options = dict(data_root=str(tmp_path), split="ring")
    options["prepare.vocabulary.names"] = "star, ring"
    config = load_config(CONFIG, options)
    prepare_vocabulary(config, **config.prepare.vocabulary)
    said = dict(annotations=[dict(id=1, image_id=1, caption="a red star")])
    (tmp_path / "captions.json").write_text(json.dumps(said))
    captions.extract_captions(config, tmp_path / "captions.json", tmp_path / "c.safetensors")
    assert used == [chosen, chosen]


def test_published_embeddings_have_no_tokens_and_are_what_they_are(tmp_path):
    options = dict(data_root=str(tmp_path), split="dotted ring")
    options["prepare.vocabulary.names"] = "solid star, dotted ring"
    config = load_config(CONFIG, options)
    np.save(tmp_path / "e.npy", np.eye(2, 128, dtype=np.float32))
    step = dict(config.prepare.vocabulary, embeddings=str(tmp_path / "e.npy"))
    with pytest.raises(UserError, match="prepare.vocabulary.embeddings"):
        prepare_vocabulary(config, **step, tokens=True)
    for _ in range(2):  # the second time the file is there
        prepare_vocabulary(config, **step, synonyms=True)
    assert not read_header(config.vocabulary).synonyms_averaged


def test_templates_of_a_config_and_of_its_file_are_compared(tmp_path):
    options = dict(data_root=str(tmp_path), split="dotted ring")
    options["prepare.vocabulary.names"] = "solid star, dotted ring"
    config = load_config(CONFIG, options)
    step = dict(config.prepare.vocabulary, templates=["a photo of a {raw}"])
    for _ in range(2):
        prepare_vocabulary(config, **step)
    assert read_header(config.vocabulary).templates == ("a photo of a {raw}",)
    with pytest.raises(UserError, match="templates: 1 there, 1 others now"):
        prepare_vocabulary(config, **config.prepare.vocabulary)


def test_a_teacher_with_prompts_of_its_own_prepares_twice(tmp_path):
    base = build_teacher(dict(model="ovshapes"))
    adapter = UnifiedPrompts(base.image_size, 4, 2, base.text_tower().width, description="learned")
    write_adapter(tmp_path / "upt", NamedAdapter("upt", base.id, adapter))
    teacher = dict(model="ovshapes", adapter=str(tmp_path / "upt"))
    step = dict(path=str(tmp_path / "v.safetensors"), names="star, ring", split=["ring"])
    config = Config(dict(teacher=teacher, vocabulary=step["path"]))
    for _ in range(2):
        prepare_vocabulary(config, **step)
    assert read_header(step["path"]).templates == ("learned",)
    with pytest.raises(UserError, match="templates: 1 there, 63 others now"):
        prepare_vocabulary(config, **step, templates="vild63")


def test_a_vocabulary_of_learned_prompts_is_not_made_but_asked_for(tmp_path):
    options = dict(data_root=str(tmp_path), split="dotted ring")
    options["prepare.vocabulary.names"] = "solid star, dotted ring"
    config = load_config(CONFIG, options)
    step = dict(config.prepare.vocabulary, learn_from="some_recipe")
    command = f"vocab learn -o {config.vocabulary} --config some_recipe"
    with pytest.raises(UserError, match=f"ovdistill prepare some_recipe (.|\n)*{command}"):
        prepare_vocabulary(config, **step)
    prepare_vocabulary(config, **config.prepare.vocabulary)
    with pytest.raises(UserError, match="written ones there, learned ones now"):
        prepare_vocabulary(config, **step)
    vocabulary = Vocabulary.load(config.vocabulary)
    replace(vocabulary, origin={}).save(config.vocabulary)  # a file of the user's choice
    prepare_vocabulary(config, **step)


def test_vocabulary_and_regions_of_two_teachers_do_not_train_together(tmp_path):
    options = dict(data_root=str(tmp_path), split="dotted ring")
    options["prepare.vocabulary.names"] = "solid star, dotted ring"
    config = load_config(CONFIG, options)
    prepare_vocabulary(config, **config.prepare.vocabulary)
    vocabulary = Vocabulary.load(config.vocabulary)
    embedding = torch.ones(1, vocabulary.embed_dim)
    regions = Regions(torch.tensor([[0.0, 0, 8, 8]]), torch.ones(1), embedding)
    own = vocabulary.teacher
    for teacher, fits in (
        (own, True),
        (own._replace(name="a copy of it"), True),
        (own._replace(weights_hash="0123456789abcdef"), False),
        (TeacherId("ViT-B-32:openai"), False),
    ):
        shutil.rmtree(config.regions, ignore_errors=True)
        write_store(config.regions, [(1, regions)], teacher.to_header())
        if fits:
            check_teachers(config)
            continue
        with pytest.raises(
            UserError, match=rf"regions .*{re.escape(teacher.name)} .*teacher ovshapes-rn"
        ):
            check_teachers(config)


def test_a_step_with_wrong_options_is_named():
    config = Config(dict(prepare=dict(regions=dict(per_image=4))))
    with pytest.raises(UserError, match="prepare.regions: .*needs path"):
        run_step(config, "regions", prepare_regions)
    config = Config(dict(prepare=dict(regions=dict(path="x", per_image=4, perimage=3))))
    with pytest.raises(UserError, match="perimage=.*did you mean per_image"):
        run_step(config, "regions", prepare_regions)
    run_step(Config(dict(prepare=dict(regions=None))), "regions", prepare_regions)


def test_everything_is_prepared_once(tmp_path):
    """Data, vocabulary, proposals and regions; a second call finds them complete."""
    make_ovshapes(tmp_path, train=4, val=1, test=1, workers=1)
    config = load_config(CONFIG, dict(data_root=str(tmp_path)))
    prepare(config)
    assert (Path(config.regions) / verified.NAME).is_file()  # before a training waits for it
    made = [path for path in (tmp_path / "shape").rglob("*") if path.is_file()]
    assert {Path(config.vocabulary), Path(config.regions) / "meta.json"} <= set(made)
    assert json.loads((Path(config.regions) / "meta.json").read_text())["counts"]["pictures"] == 4
    before = {path: path.stat().st_mtime_ns for path in made}
    prepare(config)
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_data_that_must_have_been_drawn_in_a_certain_way(tmp_path):
    options = dict(type="shapes", root=str(tmp_path / "data"))
    drawn = dict(seed=3, train=1, val=2, test=1, workers=1)
    prepare_data(Config(), **options, drawn=drawn)
    parameters = json.loads((tmp_path / "data" / "shapes.json").read_text())
    assert (parameters["seed"], parameters["counts"]["val"]) == (3, 2)
    prepare_data(Config(), **options)  # any will do
    with pytest.raises(UserError, match='"val": 5'):
        prepare_data(Config(), **options, drawn=drawn | dict(val=5))


def test_other_data_than_ovshapes_is_not_drawn(tmp_path):
    with pytest.raises(UserError, match="'voc'"):
        prepare_data(Config(), type="voc", root=str(tmp_path))
