"""A detector's weights refuse vocabularies of another teacher, on every way into a detector."""

from dataclasses import replace

import pytest
import torch
from mmengine.runner import load_checkpoint, save_checkpoint
from safetensors.torch import load_file, save_file

from ovdistill.core.assets import STUDENT, STUDENT_CONFIG
from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.models.build import build_detector, load_weights
from ovdistill.models.config import load_config
from ovdistill.teacher import OpenCLIPTeacher, build_teacher
from ovdistill.vocabulary import Vocabulary

from ..batches import build, make_vocabulary

TRAINED, OTHER = TeacherId("clip:a", "11"), TeacherId("clip:b", "22")
BOTH = r"trained with teacher clip:a \(weights 11\).* of teacher clip:b \(weights 22\)"


def vocabulary_of(teacher: TeacherId) -> Vocabulary:
    return replace(make_vocabulary(5), teacher=teacher)


@pytest.fixture(scope="module", params=["vild_r18_shapes", "hierkd_atss_r18_shapes"])
def trained(request, tmp_path_factory):
    """A config, and weights of its detector in both formats."""
    folder = tmp_path_factory.mktemp("trained")
    model = build(request.param, vocabulary_of(TRAINED))
    save_checkpoint(dict(state_dict=model.state_dict()), str(folder / "last.pth"))
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "w.safetensors")
    return request.param, folder


@pytest.mark.parametrize("name", ["last.pth", "w.safetensors"])
def test_weights_refuse_a_vocabulary_of_another_teacher(trained, name):
    config, folder = load_config(trained[0]), trained[1]
    with pytest.raises(UserError, match=BOTH):
        build_detector(config, folder / name, vocabulary_of(OTHER))
    # the same teacher under another name; and one whose hash nobody knows
    for teacher in (TRAINED, TeacherId("alias", "11"), TeacherId("clip:a")):
        model = build_detector(config, folder / name, vocabulary_of(teacher))
        assert model.teacher_mark.teacher == TRAINED
    with pytest.raises(UserError, match=r"clip:b \(weights of unknown hash\)"):
        build_detector(config, folder / name, vocabulary_of(TeacherId("clip:b")))


def test_a_training_that_starts_from_weights_compares_too(trained):
    name, folder = trained
    model = build(name, vocabulary_of(OTHER))
    with pytest.raises(UserError, match=BOTH):
        load_checkpoint(model, str(folder / "last.pth"))  # as mmengine does with load_from
    model = build(name, vocabulary_of(TeacherId("clip:a")))
    load_checkpoint(model, str(folder / "last.pth"))
    assert (
        model.teacher_mark.teacher == TRAINED
    )  # with the hash that an imported vocabulary has not


def test_a_detector_refuses_a_vocabulary_of_another_teacher(trained):
    model = build(trained[0], vocabulary_of(TRAINED))
    before = model.vocabulary
    with pytest.raises(UserError, match=BOTH):
        model.set_vocabulary(vocabulary_of(OTHER))
    assert model.vocabulary is before
    model.set_vocabulary(vocabulary_of(TeacherId("clip:a")))


def test_weights_without_a_mark_fit(trained, tmp_path):
    name, folder = trained
    state = load_file(folder / "w.safetensors")
    del state["teacher_mark.text"]
    torch.save(dict(state_dict=state), tmp_path / "old.pth")
    model = build(name, vocabulary_of(OTHER))
    load_weights(model, tmp_path / "old.pth")
    load_checkpoint(model, str(tmp_path / "old.pth"), strict=True)
    assert model.teacher_mark.teacher == OTHER


def test_the_shipped_student_knows_its_teacher():
    config = load_config(STUDENT_CONFIG)
    own = build_teacher(config.teacher).id
    other = replace(make_vocabulary(3, embed_dim=18), teacher=TeacherId("x", "y"))
    with pytest.raises(UserError, match=own.weights_hash):
        build_detector(config, STUDENT / "model.safetensors", other)
    model = build_detector(config, STUDENT / "model.safetensors", replace(other, teacher=own))
    assert model.teacher_mark.teacher == own


def test_random_teachers_are_not_the_trained_ones():
    trained, random = (
        OpenCLIPTeacher("ovshapes", random_weights=flag).id for flag in (False, True)
    )
    assert not trained.is_same(random)
    assert not trained.is_same(TeacherId(random.name))
