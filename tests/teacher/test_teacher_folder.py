"""Teachers as folders."""

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.teacher import OpenCLIPTeacher
from ovdistill.teacher.teacher_folder import config_of_model, write_teacher_folder
from ovdistill.teacher.weights import CONFIG_NAME, find_pretrained


@pytest.fixture(scope="module")
def changed() -> OpenCLIPTeacher:
    teacher = OpenCLIPTeacher("ovshapes")
    weights = {name: value.clone() for name, value in teacher.model.state_dict().items()}
    weights["text_projection"] += 0.01
    return teacher.with_weights(weights, "changed")


def test_other_weights_are_another_teacher(changed):
    before = OpenCLIPTeacher("ovshapes")
    assert changed.name == "changed" and changed.weights_hash != before.weights_hash
    assert not torch.equal(changed.encode_text(["star"]), before.encode_text(["star"]))
    image = torch.rand(1, 3, 64, 64)
    assert torch.equal(changed.encode_images(image), before.encode_images(image))


def test_a_folder_is_the_same_teacher(changed, tmp_path):
    write_teacher_folder(tmp_path / "t", changed)
    found = OpenCLIPTeacher(str(tmp_path / "t"))
    assert found.id == changed.id and found.name == "changed"
    assert torch.equal(found.encode_text(["a red star"]), changed.encode_text(["a red star"]))
    write_teacher_folder(tmp_path / "t", found)  # again, from itself
    assert OpenCLIPTeacher(str(tmp_path / "t")).id == changed.id
    (tmp_path / "t" / "adaptation.json").touch()
    (tmp_path / "t" / "notes.txt").touch()
    assert [*config_of_model(str(tmp_path / "t"), None).files] == ["bpe.txt.gz"]
    with pytest.raises(UserError, match="notes.txt.*would be lost"):
        write_teacher_folder(tmp_path / "t", found)
    assert (tmp_path / "t" / "notes.txt").exists()


def test_weights_that_are_not_finite_are_not_written(changed, tmp_path):
    weights = {name: value.clone() for name, value in changed.model.state_dict().items()}
    weights["text_projection"][0] = torch.nan
    with pytest.raises(UserError, match="text_projection"):
        write_teacher_folder(tmp_path / "t", changed.with_weights(weights, "nan"))
    assert not (tmp_path / "t").exists()


def test_another_folder_is_not_overwritten(changed, tmp_path):
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(UserError, match=CONFIG_NAME):
        write_teacher_folder(tmp_path, changed)
    assert (tmp_path / "mine.txt").read_text() == "kept"


def test_an_empty_folder_is_filled(changed, tmp_path):
    write_teacher_folder(tmp_path, changed)
    assert OpenCLIPTeacher(str(tmp_path)).id == changed.id


def test_rounded_weights_are_no_start():
    teacher = OpenCLIPTeacher("ovshapes", precision="bf16")
    with pytest.raises(UserError, match="bf16"):
        teacher.with_weights({}, "other")


@pytest.mark.parametrize(
    ("pretrained", "quick"), [("openai", True), ("laion2b_e16", False), (None, False)]
)
def test_a_model_of_open_clip_has_its_configuration(pretrained, quick):
    config = config_of_model("ViT-B-32", pretrained)
    assert config.name == "ViT-B-32"
    assert config.model_cfg["embed_dim"] == 512
    assert config.model_cfg.get("quick_gelu", False) == quick


@pytest.mark.parametrize(
    ("model", "pretrained", "quick"),
    [
        ("ViT-B-32", "openai={}", True),
        ("ViT-B-32", "laion2b_e16={}", False),
        ("ViT-B-32", "{}", False),  # its tags differ: the model's own
        ("ViT-L/14-336", "{}", True),  # all tags of it agree
        ("ViT-B-32-quickgelu", "{}", True),
    ],
)
def test_weights_of_a_file_keep_the_activation_they_are_built_with(
    model, pretrained, quick, tmp_path
):
    (tmp_path / "w.safetensors").touch()
    pretrained = pretrained.format(tmp_path / "w.safetensors")
    assert config_of_model(model, pretrained).model_cfg.get("quick_gelu", False) == quick
    built_with = find_pretrained(model.replace("/", "-"), pretrained)[1]
    assert built_with.get("force_quick_gelu", False) == quick


def test_an_unknown_architecture_is_pointed_out():
    with pytest.raises(UserError, match="ViT-B-32"):
        config_of_model("ViT-B-33", None)


def test_a_folder_whose_configuration_has_no_model(tmp_path):
    (tmp_path / CONFIG_NAME).write_text("{}")
    with pytest.raises(UserError, match="model_cfg"):
        config_of_model(str(tmp_path), None)
