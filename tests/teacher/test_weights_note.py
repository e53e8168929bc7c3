"""What a teacher's folder says of its weights."""

import json
from dataclasses import replace

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.teacher import CropPolicy, DenseRegions, OpenCLIPTeacher
from ovdistill.teacher.teacher_folder import config_of_teacher, write_teacher_folder, write_weights
from ovdistill.teacher.weights import CONFIG_NAME
from ovdistill.teacher.weights_note import WeightsNote

STAGE = DenseRegions(128, stage=3)
IMAGE, BOXES = torch.zeros(3, 64, 64, dtype=torch.uint8), torch.tensor([[8.0, 8.0, 40.0, 40.0]])


@pytest.fixture
def refined(tmp_path) -> OpenCLIPTeacher:
    teacher = OpenCLIPTeacher("ovshapes")
    config = config_of_teacher(teacher, "refined")
    write_weights(tmp_path, teacher.model)
    replace(config, note=WeightsNote(refined_for=STAGE)).write(tmp_path)
    return OpenCLIPTeacher(str(tmp_path))


def test_regions_that_a_teacher_was_refined_for_are_embedded_without_a_word(refined, caplog):
    assert refined.refined_for == STAGE
    refined.encode_regions(IMAGE, BOXES, policy=STAGE)
    assert not caplog.records


@pytest.mark.parametrize("other", [CropPolicy(), DenseRegions(128), DenseRegions(192, stage=3)])
def test_other_regions_are_embedded_with_one_warning(refined, caplog, other):
    for _ in range(2):
        refined.encode_regions(IMAGE, BOXES, policy=other)
    (record,) = caplog.records
    assert "'stage': 3" in record.message and "got crops={'mode': " in record.message


def test_a_copy_of_the_folder_says_the_same_and_other_weights_nothing(refined, tmp_path):
    write_teacher_folder(tmp_path / "copy", refined)
    assert OpenCLIPTeacher(str(tmp_path / "copy")).refined_for == STAGE
    other = refined.with_weights(refined.model.state_dict(), "tuned")
    write_teacher_folder(tmp_path / "tuned", other)
    assert OpenCLIPTeacher(str(tmp_path / "tuned")).refined_for is None
    assert OpenCLIPTeacher(str(tmp_path), random_weights=True).refined_for is None


def test_weights_that_nobody_trained_stay_marked(tmp_path, caplog):
    write_teacher_folder(tmp_path, OpenCLIPTeacher("ovshapes", random_weights=True))
    caplog.clear()
    assert OpenCLIPTeacher(str(tmp_path)).random
    assert "RANDOM TEACHER WEIGHTS" in caplog.text


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"random_weights": "no"}, "random_weights 'no'; expected true or false"),
        ({"refined_for": 3}, "refined_for 3; expected dense regions, such as"),
        ({"refined_for": {"scales": [1]}}, "expected dense regions, such as"),
        ({"refined_for": {"mode": "dense", "size": -1}}, "refined_for that is none: size -1"),
    ],
)
def test_entries_that_cannot_be_understood(refined, tmp_path, entries, message):
    path = tmp_path / CONFIG_NAME
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))
    with pytest.raises(UserError, match=message):
        OpenCLIPTeacher(str(tmp_path))
