"""What the methods learn from regions whose names are wrong before, with the embedded teacher."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.core.errors import UserError
from ovdistill.teacher import AdaptedTeacher, build_teacher
from ovdistill.teacher_training.adapt.clip_adapter import ClipAdapterMethod
from ovdistill.teacher_training.adapt.coop import CoOpMethod
from ovdistill.teacher_training.adapt.coop.method import paper_epochs, share_of_shots
from ovdistill.teacher_training.adapt.data import (
    AdaptData,
    LabelledRegions,
    encode_again,
)
from ovdistill.teacher_training.adapt.linear_probe import LinearProbeMethod
from ovdistill.teacher_training.adapt.tip_adapter import TipAdapterMethod
from ovdistill.vocabulary import Vocabulary

NAMES = ["solid star", "striped ring", "dotted cross", "solid moon", "outlined heart"]
IS_BASE = torch.tensor([True, False, True, True, False])


def quiet(line):
    pass


@pytest.fixture(scope="module")
def teacher():
    return build_teacher(dict(model="ovshapes"))


@pytest.fixture(scope="module")
def vocabulary(teacher):
    return Vocabulary.encode(NAMES, teacher, ("a photo of a {}.",), IS_BASE)


@pytest.fixture(scope="module")
def data(teacher, vocabulary):
    """Regions of base names that look like the next base name."""
    base = IS_BASE.nonzero().flatten()
    generator = torch.Generator().manual_seed(0)

    def regions(count):
        drawn = torch.arange(count) % 3
        noise = torch.randn(count, teacher.embed_dim, generator=generator) * 0.02
        looks = vocabulary.embeddings[base.roll(-1)[drawn]]
        return LabelledRegions(normalize(looks + noise, dim=1), base[drawn])

    return AdaptData(teacher, vocabulary, regions(48), regions(12), "made")


def accuracy(result, regions):
    images = result.images(regions.embeddings)
    nearest = (images @ result.vocabulary.embeddings.T).argmax(dim=1)
    return float((nearest == regions.labels).float().mean())


def test_the_regions_are_named_wrong_before(data):
    nearest = (data.held_out.embeddings @ data.vocabulary.embeddings.T).argmax(dim=1)
    assert not (nearest == data.held_out.labels).any()
    assert data.base_labels(data.held_out).tolist() == [0, 1, 2] * 4


@pytest.mark.parametrize(
    "method",
    [
        ClipAdapterMethod(lr=0.01, image_ratio=0.8),
        ClipAdapterMethod(lr=0.01, image_ratio=0.0, text_ratio=0.8),
        TipAdapterMethod(),
        TipAdapterMethod(train_keys=True),
        LinearProbeMethod(lr=0.05),
    ],
    ids=["clip-adapter", "clip-adapter-texts", "tip-adapter", "tip-adapter-f", "linear-probe"],
)
def test_they_are_named_right_after(data, method):
    result = method.learn(data, quiet)
    assert accuracy(result, data.held_out) == 1
    again = method.learn(data, quiet)
    assert torch.equal(again.vocabulary.embeddings, result.vocabulary.embeddings)
    assert again.teacher.id == result.teacher.id


@pytest.mark.parametrize(
    ("method", "name"),
    [(ClipAdapterMethod(epochs=1), "clip-adapter-"), (TipAdapterMethod(), "tip-adapter-")],
)
def test_adapters_make_a_teacher_of_its_own(data, method, name, tmp_path):
    result = method.learn(data, quiet)
    result.write(tmp_path / "a.safetensors")
    read = build_teacher(dict(model="ovshapes", adapter=str(tmp_path / "a.safetensors")))
    assert read.id == result.teacher.id and read.name.startswith(f"{data.teacher.name}+{name}")
    assert result.vocabulary.teacher == read.id
    assert torch.equal(encode_again(data.vocabulary, read).embeddings, result.vocabulary.embeddings)
    assert isinstance(result.teacher, AdaptedTeacher) and result.teacher.inner is data.teacher
    assert read.temperature == pytest.approx(result.teacher.temperature)


def test_the_probe_leaves_novel_names_and_mixes(data, tmp_path):
    texts = data.vocabulary.embeddings
    probe = LinearProbeMethod(lr=0.05).learn(data, quiet)
    half = LinearProbeMethod(lr=0.05, mix=0.5).learn(data, quiet)
    none = LinearProbeMethod(lr=0.05, mix=0.0).learn(data, quiet)
    assert torch.equal(probe.vocabulary.embeddings[~IS_BASE], texts[~IS_BASE])
    torch.testing.assert_close(none.vocabulary.embeddings, texts)
    cosines = [(found.vocabulary.embeddings * texts).sum(dim=1)[IS_BASE] for found in (probe, half)]
    assert (cosines[0] < cosines[1]).all() and (cosines[1] < 1 - 1e-4).all()
    half.write(tmp_path / "v.safetensors")
    loaded = Vocabulary.load(tmp_path / "v.safetensors")
    assert loaded.teacher == data.teacher.id and loaded.templates == data.vocabulary.templates


@pytest.mark.parametrize("class_contexts", [False, True])
def test_coop_learns_words_around_the_names(data, class_contexts):
    method = CoOpMethod(epochs=2, context=2, lr=0.2, batch=24, class_contexts=class_contexts)
    result = method.learn(data, quiet)
    learned = result.vocabulary.learned
    assert learned is not None and (learned.own is not None) == class_contexts
    assert result.teacher is data.teacher and "background 0" in learned.description


def test_tip_adapter_needs_held_out_regions_or_its_numbers(data):
    none = LabelledRegions(torch.zeros(0, data.teacher.embed_dim), torch.zeros(0).long())
    alone = AdaptData(data.teacher, data.vocabulary, data.train, none, "made")
    with pytest.raises(UserError, match="--alpha and --beta"):
        TipAdapterMethod(alpha=1.0).learn(alone, quiet)
    found = TipAdapterMethod(alpha=4.0, beta=7.0).learn(alone, quiet)
    assert found.facts == dict(alpha=4.0, beta=7.0)


def test_tip_adapter_chooses_nothing_by_names_of_the_teachers_own(data):
    found = TipAdapterMethod(beta=7.0).learn(replace(data, unsupervised=True), quiet)
    assert found.facts == dict(alpha=1.0, beta=7.0)  # no accuracy, which would be 1 by construction


def test_names_that_cannot_be_encoded_again_are_refused(data):
    learned = CoOpMethod(epochs=1, context=2).learn(data, quiet).vocabulary
    unknown = Vocabulary(data.vocabulary.names, learned.embeddings, IS_BASE, learned.teacher)
    for vocabulary in (learned, unknown):
        wrong = AdaptData(data.teacher, vocabulary, data.train, data.held_out, "made")
        for method in (ClipAdapterMethod(), TipAdapterMethod()):
            with pytest.raises(UserError, match="prompts"):
                method.learn(wrong, quiet)


@pytest.mark.parametrize(
    "build",
    [
        lambda: ClipAdapterMethod(epochs=0),
        lambda: TipAdapterMethod(beta=-1.0),
        lambda: LinearProbeMethod(mix=1.5),
        lambda: LinearProbeMethod(lr=0.0),
    ],
)
def test_settings_out_of_range(build):
    with pytest.raises(UserError, match="got "):
        build()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(image_ratio=0.0), "both ratios are 0"),
        (dict(image_ratio=2.0), "2.0"),
        (dict(reduction=129), "width 128"),
    ],
)
def test_settings_that_do_not_fit_are_found_before_regions_are_embedded(
    teacher, vocabulary, settings, message
):
    with pytest.raises(UserError, match=message):
        ClipAdapterMethod(**settings).check(teacher, vocabulary)


@pytest.mark.parametrize(("shots", "epochs"), [(1, 50), (2, 100), (4, 100), (8, 200), (16, 200)])
def test_coop_has_the_papers_epochs(shots, epochs):
    labels = torch.arange(3).repeat(shots)
    assert paper_epochs(labels) == epochs and share_of_shots(labels) == 1


def test_coop_makes_no_more_steps_of_more_regions():
    labels = torch.tensor([0] * 60 + [1] * 20 + [2] * 8)
    assert paper_epochs(labels) == 200 and share_of_shots(labels) == (16 + 16 + 8) / 88


def test_coop_takes_the_papers_steps(data):
    one = [int((data.train.labels == label).nonzero()[0]) for label in data.train.labels.unique()]
    few = replace(data, train=data.train[torch.tensor(one)])
    result = CoOpMethod(context=2).learn(few, quiet)
    said = "50 epochs, lr 0.002, seed 0, batch 32, momentum 0.9, weight decay 0.0005, warm-up 0.02"
    assert result.facts == dict(epochs=50) and said in result.vocabulary.learned.description
    assert "epochs" not in CoOpMethod().settings and CoOpMethod(epochs=3).settings["epochs"] == 3
