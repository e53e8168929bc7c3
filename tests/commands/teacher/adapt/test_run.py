"""What is around the learning of a method: a result is tried, written, then measured in parts."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from ovdistill.commands.teacher.adapt import run
from ovdistill.commands.teacher.adapt.options import AdaptOptions
from ovdistill.core.errors import DivergedError
from ovdistill.core.json_files import read_json
from ovdistill.evaluation.teacher.objects import TrueObjects
from ovdistill.evaluation.teacher.zero_shot import ZeroShotCounter
from ovdistill.extraction.encode_objects import NotFiniteError
from ovdistill.ovshapes.generate import make_ovshapes
from ovdistill.teacher import build_teacher
from ovdistill.teacher_training.adapt.data import Adaptation, AdaptMethod, encode_again
from ovdistill.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True)
class Exploding(AdaptMethod):
    """Finite weights, of which embeddings become NaN: in the image tower, or behind it."""

    name: ClassVar[str] = "exploding"
    epochs: int = 1
    lr: float = 0.5
    behind: bool = False

    def learn(self, data, report=print):
        weights = {name: value.clone() for name, value in data.teacher.model.state_dict().items()}
        weights["visual.conv1.weight"].fill_(1e38)
        teacher = data.teacher.with_weights(weights, "exploded")
        vocabulary = encode_again(data.vocabulary, teacher)
        images = (lambda embeddings: embeddings * torch.nan) if self.behind else None
        return Adaptation(teacher, vocabulary, lambda path: path.touch(), images)


class Nothing(Exploding):
    """Learns nothing; its images go through the tower again."""

    name: ClassVar[str] = "nothing"

    def learn(self, data, report=print):
        return Adaptation(data.teacher, data.vocabulary, lambda path: path.write_text("new"))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return make_ovshapes(tmp_path_factory.mktemp("shapes"), train=12, val=3, test=1, workers=1)


@pytest.fixture
def options(root, tmp_path):
    return AdaptOptions(
        teacher="ovshapes-plain",
        annotations=root / "annotations" / "instances_train.json",
        images=root / "images",
        test_annotations=root / "annotations" / "instances_val.json",
        test_images=root / "images",
        split="shape",
        shots=1,
        workers=0,
        out=tmp_path / "a.safetensors",
    )


@pytest.mark.parametrize("behind", [False, True], ids=["images", "embeddings"])
def test_what_embeds_nothing_is_not_written(options, tmp_path, *, behind):
    with pytest.raises(DivergedError, match=r"exploding .*lower --lr than 0\.5") as caught:
        run.adapt(options, Exploding(behind=behind))
    assert caught.value.exit_code == 3 and not [*tmp_path.iterdir()]


def test_a_result_outlives_an_interrupted_measurement(options, tmp_path, monkeypatch):
    run.adapt(options, Nothing())
    report = read_json(tmp_path / "a.json", "report")
    assert report["figures"]["before"] == report["figures"]["after"]
    options.out.write_text("old")
    encoded = []

    def encode(objects, teacher, inputs):
        encoded.append(len(objects.files))
        if len(encoded) == 3:  # objects to measure on, a few of them, and all again
            raise KeyboardInterrupt
        return own(objects, teacher, inputs)

    own = run.encode
    monkeypatch.setattr(run, "encode", encode)
    monkeypatch.setattr(run, "FEW", 2)
    with pytest.raises(KeyboardInterrupt):
        run.adapt(options, Nothing())
    assert encoded == [3, 2, 3]
    # the report of the old result is gone with it
    assert options.out.read_text() == "new" and [*tmp_path.iterdir()] == [options.out]


@pytest.mark.parametrize("folder", [False, True])
def test_what_explodes_on_later_images_is_deleted(options, tmp_path, monkeypatch, *, folder):
    def measure(*given):
        assert options.out.exists()
        raise NotFiniteError("NaN")

    class Folder(Nothing):
        def learn(self, data, report=print):
            return Adaptation(data.teacher, data.vocabulary, lambda path: path.mkdir())

    monkeypatch.setattr(run, "measure", measure)
    with pytest.raises(DivergedError, match=r"a\.safetensors is deleted.*lower --lr than 0\.5"):
        run.adapt(options, Folder() if folder else Nothing())
    assert not [*tmp_path.iterdir()]


def test_objects_are_compared_in_parts(monkeypatch):
    teacher = build_teacher(dict(model="ovshapes"))
    is_base = torch.tensor([True, False, True])
    vocabulary = Vocabulary.encode(["star", "ring", "moon"], teacher, ("{}",), is_base)
    embeddings = torch.nn.functional.normalize(torch.randn(11, teacher.embed_dim), dim=1)
    labels = torch.arange(11) % 3
    objects = TrueObjects(torch.arange(11), torch.zeros(11, 4), labels, embeddings)
    sizes = []

    class Counter(ZeroShotCounter):
        def add(self, embeddings, labels):
            sizes.append(len(labels))
            super().add(embeddings, labels)

    whole = run._accuracy(objects, vocabulary)
    monkeypatch.setattr(run, "PART", 4)
    monkeypatch.setattr(run, "ZeroShotCounter", Counter)
    assert run._accuracy(objects, vocabulary) == whole and sizes == [4, 4, 3]
