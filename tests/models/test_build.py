"""From a config to a detector, with weights that fit."""

import pytest
import torch
from mmengine.config import Config
from safetensors.torch import save_file

from ovdistill.core.errors import UserError
from ovdistill.models.build import build_detector, load_weights

from ..batches import build, load_config, make_vocabulary

NAME = "vild_r18_shapes"


def save(model, path):
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, path)


def test_a_detector_has_the_weights_of_its_checkpoint_and_its_config(tmp_path):
    trained, vocabulary = build(NAME, make_vocabulary(5)), make_vocabulary(3)
    save(trained, tmp_path / "w.safetensors")
    config = load_config(NAME)
    model = build_detector(config, tmp_path / "w.safetensors", vocabulary)
    assert model.vocabulary is vocabulary and model.cfg is config and not model.training
    own = model.state_dict()
    assert all(torch.equal(own[key], value) for key, value in trained.state_dict().items())


def test_a_config_without_custom_imports_builds_too():
    config = load_config(NAME)
    model = build_detector(Config(dict(model=config.model)), vocabulary=make_vocabulary(3))
    assert type(model).__name__ == "OpenVocabularyRCNN"


def test_weights_of_another_width_are_refused(tmp_path):
    save(build(NAME, make_vocabulary(5, embed_dim=8)), tmp_path / "w.safetensors")
    with pytest.raises(UserError, match=r"w\.safetensors .*width 8.*width 16"):
        load_weights(build(NAME, make_vocabulary(5)), tmp_path / "w.safetensors")


def test_weights_of_another_detector_are_refused(tmp_path):
    model = build(NAME, make_vocabulary(5))
    save(model, tmp_path / "w.safetensors")
    other = build("vild_ensemble_r18_shapes", make_vocabulary(5))
    before = {key: value.clone() for key, value in other.state_dict().items()}
    with pytest.raises(UserError, match=r"w\.safetensors does not fit"):
        load_weights(other, tmp_path / "w.safetensors")
    assert all(torch.equal(before[key], value) for key, value in other.state_dict().items())
    with pytest.raises(UserError, match=r"no checkpoint .*absent\.pth"):
        load_weights(model, tmp_path / "absent.pth")
