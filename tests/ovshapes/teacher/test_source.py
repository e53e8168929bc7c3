"""The small teacher's training through the loop of every teacher."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch
from open_clip.tokenizer import SimpleTokenizer

from ovdistill.core.assets import TEACHER_DIR
from ovdistill.core.errors import UserError
from ovdistill.core.recipes import find_recipe
from ovdistill.models.config import load_config
from ovdistill.ovshapes.categories import BACKGROUNDS, COLOURS, PATTERNS, SHAPES
from ovdistill.ovshapes.teacher.objective import GroupContrast
from ovdistill.ovshapes.teacher.source import OVShapesCrops
from ovdistill.teacher_training.config import TeacherTraining
from ovdistill.teacher_training.loop import TeacherTrainer
from ovdistill.vocabulary.prompts import TEMPLATES

from .noise_pool import noise_pool

SMALL = {
    "model.model.vision_cfg.image_size": 32,
    "training.steps": 3,
    "training.batch": 65,
}
# Sums, and sums of absolute values, of weights after 3 steps on ``noise_pool``, seed 0. They were
# computed with the loop that has trained the shipped teacher, which this one replaces.
FORMER = {
    "visual.conv1.weight": (-1.8496753543731757, 20.504185825760942),
    "visual.layer3.1.bn2.running_var": (47.72098654508591, 47.72098654508591),
    "visual.attnpool.c_proj.weight": (-2.7278916539580678, 2334.202359940922),
    "token_embedding.weight": (-5.54059445046795, 1167.91827952786),
    "text_projection": (-26.477728617916, 1006.1336882740579),
    "logit_scale": (2.6544032096862793, 2.6544032096862793),
}


@pytest.fixture(scope="module")
def pool():
    return noise_pool()


def trainer(folder: Path = Path("unused")) -> TeacherTrainer:
    config = load_config("teacher_shapes", SMALL).to_dict()
    return TeacherTrainer(TeacherTraining.build(config), folder, torch.device("cpu"))


def test_three_steps_give_the_weights_that_they_gave_before(pool) -> None:
    trained = trainer()
    batches = trained.training.data.batches_of(pool, trained.plan(), 0)
    for batch in islice(batches, 3):
        trained.make_step(batch)
    state = trained.towers.model.state_dict()
    for name, (total, absolute) in FORMER.items():
        value = state[name].double()
        assert value.sum().item() == pytest.approx(total, abs=1e-5 * absolute), name
        assert value.abs().sum().item() == pytest.approx(absolute, rel=1e-6), name


def test_a_later_start_is_the_same_stream(pool) -> None:
    plan = trainer().plan()
    source = OVShapesCrops(whole_images=5, whole_every=2)
    whole = list(islice(source.batches_of(pool, plan, 0), 4))
    later = list(islice(source.batches_of(pool, plan, 2), 2))
    for one, other in zip(whole[2:], later, strict=True):
        assert torch.equal(one.images, other.images) and torch.equal(one.tokens, other.tokens)
    assert [batch.whole for batch in whole] == [5, 0, 5, 0]
    assert [len(batch.images) for batch in whole] == [70, 65, 70, 65]


def test_captions_say_what_their_crops_show(pool) -> None:
    plan = replace(trainer().plan(), batch=130, tokenize=lambda texts: texts)
    batch = next(OVShapesCrops(whole_images=0).batches_of(pool, plan, 0))
    category, full = ([batch.tokens[i] for i in row.tolist()] for row in batch.captions)
    colour, rest = batch.labels // 65, batch.labels % 65
    for row in range(130):
        shape, pattern = SHAPES[rest[row] % 13], PATTERNS[rest[row] // 13]
        assert f"{pattern} {shape}" in category[row] and f"{pattern} {shape}" in full[row]
        assert [*COLOURS][colour[row]] in full[row]
    assert len(set(category)) == 65 and len(set(full)) == 130


def test_every_word_of_captions_and_templates_is_one_token() -> None:
    tokenizer = trainer().towers.tokenizer
    shipped = SimpleTokenizer(str(TEACHER_DIR / "bpe.txt.gz"), context_length=32)
    words = " ".join(TEMPLATES["vild63"]).replace("{article}", "a an").replace("{}", "").lower()
    names = {*COLOURS, *PATTERNS, *SHAPES, *BACKGROUNDS, "and", "on", "background"}
    for word in {*words.replace("-", " ").replace(".", " ").split(), *names}:
        assert len(tokenizer.encode(word)) == 1, word
        assert tokenizer.encode(word) == shipped.encode(word)


def test_the_recipe_says_how_to_run_it() -> None:
    assert "ovdistill teacher train --config teacher_shapes" in find_recipe(
        "teacher_shapes"
    ).read_text(encoding="utf-8")


@pytest.mark.parametrize("batch", [64, 585])
def test_a_number_of_crops_that_categories_do_not_allow(batch: int) -> None:
    plan = replace(trainer().plan(), batch=batch)
    with pytest.raises(UserError, match="multiple of 65"):
        OVShapesCrops().batches(plan, 0)


def test_what_does_not_go_with_it() -> None:
    trained = trainer()
    with pytest.raises(UserError, match="2 processes"):
        OVShapesCrops().batches(replace(trained.plan(), ranks=2), 0)
    with pytest.raises(UserError, match="belong together"):
        TeacherTraining.build(load_config("teacher_shapes", SMALL | {"training.part": 13}))
    with pytest.raises(UserError, match="OVShapesCrops"):
        from ovdistill.teacher_training.batch import TrainingBatch

        images = torch.zeros(1, 3, 32, 32)
        GroupContrast()(TrainingBatch(images, torch.zeros(1, 32), torch.zeros(1)), trained.towers)
    with pytest.raises(UserError, match="images=0"):
        OVShapesCrops(images=0)
