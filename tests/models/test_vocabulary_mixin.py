"""A vocabulary in place of a list of classes: loaded, checked, and given to the head."""

from dataclasses import replace

import pytest

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.models.vocabulary_mixin import VocabularyMixin, load_vocabulary

from ..batches import D, build, make_vocabulary

NAMES = ["vild_r18_shapes", "hierkd_atss_r18_shapes"]


class Head:
    embed_dim = D

    def set_vocabulary(self, vocabulary):
        self.vocabulary = vocabulary


class Detector(VocabularyMixin):
    def __init__(self, vocabulary):
        self.head = Head()
        self.init_vocabulary(vocabulary)

    @property
    def vocabulary_head(self):
        return self.head


def test_a_vocabulary_is_taken_as_it_is_or_from_its_file(tmp_path):
    vocabulary = make_vocabulary(3)
    assert load_vocabulary(vocabulary) is vocabulary
    vocabulary.save(tmp_path / "v.safetensors")
    assert load_vocabulary(str(tmp_path / "v.safetensors")).names == vocabulary.names
    with pytest.raises(UserError, match=r"no_such\.safetensors"):
        load_vocabulary(tmp_path / "no_such.safetensors")


def test_the_head_gets_every_vocabulary():
    first, second = make_vocabulary(3), make_vocabulary(5)
    detector = Detector(first)
    assert detector.vocabulary is detector.head.vocabulary is first
    detector.set_vocabulary(second)
    assert detector.vocabulary is detector.head.vocabulary is second


@pytest.mark.parametrize(
    "other", [dict(embed_dim=8), dict(teacher=TeacherId("other"))], ids=["width", "teacher"]
)
def test_a_vocabulary_that_does_not_fit_changes_nothing(other):
    detector = Detector(make_vocabulary(3))
    before = detector.vocabulary
    teacher = other.pop("teacher", before.teacher)
    with pytest.raises(UserError):
        detector.set_vocabulary(replace(make_vocabulary(3, **other), teacher=teacher))
    assert detector.vocabulary is detector.head.vocabulary is before


def test_a_detector_without_a_head_is_named():
    with pytest.raises(TypeError, match="VocabularyMixin"):
        VocabularyMixin().vocabulary_head  # noqa: B018


@pytest.mark.parametrize("name", NAMES)
def test_both_detectors_give_it_to_the_head_with_the_class_names(name):
    model = build(name, make_vocabulary(3))
    head = getattr(model.vocabulary_head, "bbox_head", model.vocabulary_head)
    assert model.vocabulary_head.embed_dim == D
    assert head.fc_cls.text_embeddings.shape == (3, D) and head.num_classes == 3
    model.set_vocabulary(make_vocabulary(5))
    assert head.fc_cls.text_embeddings.shape == (5, D) and head.num_classes == 5
