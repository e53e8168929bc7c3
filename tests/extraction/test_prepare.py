"""What training needs is made once: words, and the proposal network that ships with the package."""

import shutil
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from safetensors.torch import load_file

from ovdistill.core.assets import ASSETS
from ovdistill.core.errors import UserError
from ovdistill.extraction.prepare import (
    check_teachers,
    prepare_proposals,
    prepare_regions,
    prepare_vocabulary,
    run_step,
)
from ovdistill.models.build import build_detector
from ovdistill.models.config import load_config
from ovdistill.store import Regions, write_store
from ovdistill.vocabulary import Vocabulary

CONFIGS = Path(__file__).parents[1] / "configs"


@pytest.mark.parametrize("split", ["shape", "compositional"])
def test_the_shipped_proposal_network_is_taken(split, tmp_path):
    config = load_config(
        CONFIGS / "vild_r18_shapes.py", dict(data_root=str(tmp_path / "data"), split=split)
    )
    checkpoint = Path(config.prepare.proposals.checkpoint)
    prepare_proposals(config, **config.prepare.proposals)
    assert [path.name for path in checkpoint.parent.iterdir()] == ["proposals.pth"]
    network = build_detector(load_config(CONFIGS / "proposals_r18_shapes.py"), checkpoint)
    shipped = load_file(ASSETS / f"proposals_{split}.safetensors")
    assert all(
        torch.equal(shipped[key].float(), v.float()) for key, v in network.state_dict().items()
    )
    # one that is there stays
    before = checkpoint.stat().st_mtime_ns
    prepare_proposals(config, **config.prepare.proposals)
    assert checkpoint.stat().st_mtime_ns == before


def test_without_weights_the_command_that_makes_them_is_named(tmp_path):
    config = load_config(CONFIGS / "vild_r18_shapes.py", dict(data_root=str(tmp_path)))
    options = dict(config.prepare.proposals, published="none", train=False)
    with pytest.raises(UserError, match=r"tools/train.py .*proposals_r18_shapes.py"):
        prepare_proposals(config, **options)


def test_words_are_made_once_and_only_of_the_configs_teacher(tmp_path):
    options = dict(data_root=str(tmp_path), split="dotted ring")
    options["prepare.vocabulary.names"] = "solid star, dotted ring"
    config = load_config(CONFIGS / "vild_r18_shapes.py", options)
    prepare_vocabulary(config, **config.prepare.vocabulary)
    path = Path(config.vocabulary)
    words = Vocabulary.load(path)
    assert (words.teacher, words.is_base.tolist()) == ("ovshapes-rn", [True, False])
    before = path.stat().st_mtime_ns
    prepare_vocabulary(config, **config.prepare.vocabulary)
    assert path.stat().st_mtime_ns == before
    config.teacher = dict(model="ViT-B-32", pretrained="openai")  # whose weights are not needed
    with pytest.raises(UserError, match=r"ovshapes-rn.*config is ViT-B-32:openai"):
        prepare_vocabulary(config, **config.prepare.vocabulary)


@pytest.mark.parametrize("asked", ["tokens", "synonyms"])
def test_published_embeddings_have_neither_tokens_nor_synonyms(asked):
    config = load_config(CONFIGS / "vild_r18_shapes.py")
    options = dict(config.prepare.vocabulary, embeddings="e.npy", **{asked: True})
    with pytest.raises(UserError, match="need the teacher"):
        prepare_vocabulary(config, **options)


def test_words_and_regions_of_two_teachers_do_not_train_together(tmp_path):
    options = dict(data_root=str(tmp_path), split="dotted ring")
    options["prepare.vocabulary.names"] = "solid star, dotted ring"
    config = load_config(CONFIGS / "vild_r18_shapes.py", options)
    prepare_vocabulary(config, **config.prepare.vocabulary)
    words = Vocabulary.load(config.vocabulary)
    regions = Regions(torch.tensor([[0.0, 0, 8, 8]]), torch.ones(1), torch.ones(1, words.embed_dim))
    for name, weights, fits in (
        (words.teacher, words.teacher_hash, True),
        ("a copy of it", words.teacher_hash, True),
        (words.teacher, "0123456789abcdef", False),
        ("ViT-B-32:openai", "", False),
    ):
        shutil.rmtree(config.regions, ignore_errors=True)
        write_store(config.regions, [(1, regions)], dict(teacher=name, teacher_hash=weights))
        if fits:
            check_teachers(config)
            continue
        with pytest.raises(
            UserError, match=rf"regions is of teacher {name} .*, .*safetensors of teacher ovshapes"
        ):
            check_teachers(config)


def test_a_step_with_wrong_options_is_named():
    config = Config(dict(prepare=dict(regions=dict(per_image=4))))
    with pytest.raises(UserError, match="prepare.regions of the config: missing .* 'path'; exp"):
        run_step(config, "regions", prepare_regions)
    config = Config(dict(prepare=dict(regions=dict(path="x", per_image=4, perimage=3))))
    with pytest.raises(UserError, match="'perimage'.* got: path, per_image, perimage"):
        run_step(config, "regions", prepare_regions)
    run_step(Config(dict(prepare=dict(regions=None))), "regions", prepare_regions)
