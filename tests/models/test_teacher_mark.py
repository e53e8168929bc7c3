"""A detector's weights keep words of another teacher away, on every way into a detector."""

from dataclasses import replace

import pytest
import torch
from mmengine.runner import load_checkpoint, save_checkpoint
from safetensors.torch import load_file, save_file

from ovdistill.core.assets import TEACHER_DIR
from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.inference.inferencer import shipped_student
from ovdistill.models.build import build_detector, load_weights
from ovdistill.models.config import load_config
from ovdistill.teacher import OpenCLIPTeacher

from ..batches import CONFIGS, build, words

TRAINED, OTHER = TeacherId("clip:a", "11"), TeacherId("clip:b", "22")
BOTH = r"trained with teacher clip:a \(weights 11\).* of teacher clip:b \(weights 22\)"


def words_of(teacher: TeacherId):
    return replace(words(5), teacher=teacher.name, teacher_hash=teacher.weights_hash)


@pytest.fixture(scope="module", params=["vild_r18_shapes", "hierkd_atss_r18_shapes"])
def trained(request, tmp_path_factory):
    """A config, and weights of its detector in both formats."""
    folder = tmp_path_factory.mktemp("trained")
    model = build(request.param, words_of(TRAINED))
    save_checkpoint(dict(state_dict=model.state_dict()), str(folder / "last.pth"))
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "w.safetensors")
    return request.param, folder


@pytest.mark.parametrize("name", ["last.pth", "w.safetensors"])
def test_weights_refuse_words_of_another_teacher(trained, name):
    config, folder = load_config(CONFIGS / f"{trained[0]}.py"), trained[1]
    with pytest.raises(UserError, match=BOTH):
        build_detector(config, folder / name, words_of(OTHER))
    # the same teacher under another name; and one whose hash nobody knows
    for teacher in (TRAINED, TeacherId("alias", "11"), TeacherId("clip:a")):
        model = build_detector(config, folder / name, words_of(teacher))
        assert model.teacher_mark.teacher == TRAINED
    with pytest.raises(UserError, match=r"clip:b \(weights of unknown hash\)"):
        build_detector(config, folder / name, words_of(TeacherId("clip:b")))


def test_a_training_that_starts_from_weights_compares_too(trained):
    name, folder = trained
    model = build(name, words_of(OTHER))
    with pytest.raises(UserError, match=BOTH):
        load_checkpoint(model, str(folder / "last.pth"))  # as mmengine does with load_from
    model = build(name, words_of(TeacherId("clip:a")))
    load_checkpoint(model, str(folder / "last.pth"))
    assert model.teacher_mark.teacher == TRAINED  # with the hash that imported words have not


def test_a_detector_refuses_words_of_another_teacher(trained):
    model = build(trained[0], words_of(TRAINED))
    before = model.vocabulary
    with pytest.raises(UserError, match=BOTH):
        model.set_vocabulary(words_of(OTHER))
    assert model.vocabulary is before
    model.set_vocabulary(words_of(TeacherId("clip:a")))


def test_weights_without_a_mark_fit(trained, tmp_path):
    name, folder = trained
    state = load_file(folder / "w.safetensors")
    del state["teacher_mark.text"]
    torch.save(dict(state_dict=state), tmp_path / "old.pth")
    model = build(name, words_of(OTHER))
    load_weights(model, tmp_path / "old.pth")
    load_checkpoint(model, str(tmp_path / "old.pth"), strict=True)
    assert model.teacher_mark.teacher == OTHER


def test_the_shipped_student_knows_its_teacher():
    config, weights = shipped_student()
    teacher = OpenCLIPTeacher(str(TEACHER_DIR))
    own = TeacherId(teacher.id, teacher.weights_hash)
    vocabulary = replace(words(3, dim=teacher.embed_dim), teacher="x", teacher_hash="y")
    with pytest.raises(UserError, match=own.weights_hash):
        build_detector(load_config(config), weights, vocabulary)
    vocabulary = replace(vocabulary, teacher=own.name, teacher_hash=own.weights_hash)
    model = build_detector(load_config(config), weights, vocabulary)
    assert model.teacher_mark.teacher == own


def test_random_teachers_are_not_the_trained_ones():
    trained, random = (OpenCLIPTeacher("ovshapes", random_weights=flag) for flag in (False, True))
    marks = [TeacherId(teacher.id, teacher.weights_hash) for teacher in (trained, random)]
    assert not marks[0].is_same(marks[1])
    assert not marks[0].is_same(TeacherId(random.id))
