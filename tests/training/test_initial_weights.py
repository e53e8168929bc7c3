"""Which weights a training starts from, and what is said of those that are missing."""

from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from mmengine.config import Config

from ovdistill.core.errors import UserError
from ovdistill.models.checkpoint_loaders import is_cached
from ovdistill.training.initial_weights import (
    check_initial_weights,
    pretrained_parts,
    unreachable,
)

URL = "https://example.org/weights-abc.pth"


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


def test_offline_the_cache_must_have_them(cache: Path):
    with pytest.raises(UserError, match="model.backbone.init_cfg.checkpoint=PATH"):
        check_initial_weights(config_of(URL))
    (cache / "weights-abc.pth").write_bytes(b"")
    assert is_cached(URL)
    check_initial_weights(config_of(URL))


def test_names_of_torchvision(cache: Path):
    assert not is_cached("torchvision://resnet50")
    for name in ("resnet50-0676ba61.pth", "resnet50-11ad3fa6.pth", "resnet50-19c8e357.pth"):
        (cache / name).write_bytes(b"")
    assert is_cached("torchvision://resnet50")


def test_a_missing_file_to_load_from(tmp_path: Path):
    (tmp_path / "own.py").write_text(f"load_from = {str(tmp_path / 'none.pth')!r}")
    config = Config.fromfile(tmp_path / "own.py")
    with pytest.raises(UserError, match="none.pth.*own.py.*load_from=PATH"):
        check_initial_weights(config)


def test_what_to_do_about_a_failed_download():
    error = unreachable(config_of(URL), URLError("no route"))
    assert URL in str(error) and "no route" in str(error)
    assert "model.backbone.init_cfg=None" in str(error)
