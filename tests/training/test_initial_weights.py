"""Which weights a training starts from, and what is said of those that are missing."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from ovdistill.core.errors import UserError
from ovdistill.core.offline import OFFLINE_VARIABLES
from ovdistill.training.initial_weights import (
    check_initial_weights,
    find_weights,
    pretrained_parts,
    weights_of_config,
)

URL = "https://example.org/weights-abc.pth"
CLOSED = "http://127.0.0.1:9/weights-abc.pth"  # nothing listens there


def config_of(checkpoint: str) -> Config:
    backbone = dict(type="R", init_cfg=dict(type="Pretrained", checkpoint=checkpoint))
    head = dict(init_cfg=dict(type="Normal"))
    return Config(dict(model=dict(backbone=backbone, head=head)))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints"


def test_parts_that_start_from_weights():
    found = pretrained_parts(config_of(URL).model, "model")
    assert found == {"model.backbone.init_cfg": URL}
    assert pretrained_parts([config_of(URL).model], "a") == {"a.0.backbone.init_cfg": URL}


@pytest.mark.parametrize("kind", [list, tuple])
def test_one_of_several_initializers(kind, cache: Path):
    several = kind([dict(type="Normal"), dict(type="Pretrained", checkpoint=URL)])
    config = Config(dict(model=dict(init_cfg=several)))
    assert weights_of_config(config) == {"model.init_cfg.1": URL}
    with pytest.raises(UserError, match=r"init_cfg\.1\.checkpoint=PATH, or model\.init_cfg=None"):
        check_initial_weights(config)


def test_the_whole_configs_weights_come_first():
    config = config_of(URL)
    config.load_from = "a.pth"
    found = weights_of_config(config, "own.")
    assert found == {"own.load_from": "a.pth", "own.model.backbone.init_cfg": URL}


def test_offline_the_cache_must_have_them(cache: Path):
    with pytest.raises(UserError, match=rf"{cache}/weights-abc.*{URL} there.*checkpoint=PATH"):
        check_initial_weights(config_of(URL))
    (cache / "weights-abc.pth").write_bytes(b"")
    check_initial_weights(config_of(URL))


def test_names_of_torchvision(cache: Path):
    with pytest.raises(UserError, match=r"torchvision://resnet50.*resnet50-\w+\.pth"):
        find_weights("torchvision://resnet50", "model.backbone.init_cfg")
    for name in ("resnet50-0676ba61.pth", "resnet50-11ad3fa6.pth", "resnet50-19c8e357.pth"):
        (cache / name).write_bytes(b"")
    assert find_weights("torchvision://resnet50", "model.backbone.init_cfg").parent == cache


def test_a_missing_file_to_load_from():
    config = Config(dict(load_from="none.pth"))
    with pytest.raises(UserError, match="none.pth.*own.load_from=PATH"):
        check_initial_weights(config, "own.")


def test_all_that_is_missing_is_one_error(cache: Path):
    config = config_of(URL)
    config.load_from = "none.pth"
    with pytest.raises(UserError, match=rf"(?s)none\.pth.*\n.*{URL}"):
        check_initial_weights(config)


def test_what_to_do_about_a_failed_download(cache: Path, monkeypatch):
    for name in OFFLINE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match=rf"{CLOSED} cannot be fetched .*init_cfg=None"):
        check_initial_weights(config_of(CLOSED))
    assert not list(cache.iterdir())
