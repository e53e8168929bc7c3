"""timm's weights by name: from the cache of the hub, never downloaded when told not to."""

from pathlib import Path
from urllib.error import URLError

import pytest
import timm
import torch
from huggingface_hub import constants
from mmengine.config import Config
from safetensors.torch import save_file

from ovdistill.core.errors import UserError
from ovdistill.models import timm_weights
from ovdistill.models.checkpoint_loaders import load_from_timm
from ovdistill.models.timm_backbone import TimmBackbone
from ovdistill.models.timm_weights import cached_timm_file
from ovdistill.training.initial_weights import check_initial_weights

NAME = "timm://resnet10t.c3_in1k"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("OVDISTILL_OFFLINE", "1")
    return tmp_path


def put(cache: Path, name: str) -> Path:
    """A file in the layout of the hub's cache."""
    repository = cache / f"models--timm--{name}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc")
    file = repository / "snapshots" / "abc" / "model.safetensors"
    file.parent.mkdir(parents=True)
    save_file(timm.create_model("resnet10t").state_dict(), file)
    return file


def test_offline_the_cache_must_have_them(cache):
    model = dict(
        backbone=dict(
            type="TimmBackbone",
            model_name="resnet10t",
            init_cfg=dict(type="Pretrained", checkpoint=NAME),
        )
    )
    assert cached_timm_file(NAME) is None
    with pytest.raises(UserError, match="model.backbone.init_cfg.checkpoint=PATH"):
        check_initial_weights(Config(dict(model=model)))
    with pytest.raises(UserError, match="downloads are switched off"):
        load_from_timm(NAME)
    file = put(cache, "resnet10t.c3_in1k")
    check_initial_weights(Config(dict(model=model)))
    options = {key: value for key, value in model["backbone"].items() if key != "type"}
    backbone = TimmBackbone(**options)
    backbone.init_weights()
    source = cached_timm_file(NAME)
    assert source is not None and source.samefile(file)
    own = backbone.network.state_dict()
    given = load_from_timm(NAME)["state_dict"]
    assert torch.equal(own["layer4.0.conv1.weight"], given["layer4.0.conv1.weight"])


@pytest.mark.parametrize("name", ["timm://resnet10t.nothing", "timm://nothing", "timm://"])
def test_names_that_timm_does_not_have(name, cache):
    with pytest.raises(UserError, match="timm has no weights"):
        cached_timm_file(name)


def test_a_failed_download_is_an_error_of_the_address(cache, monkeypatch):
    monkeypatch.delenv("OVDISTILL_OFFLINE")

    def fail(repository, file):
        assert (repository, file) == ("timm/resnet10t.c3_in1k", "model.safetensors")
        raise ConnectionError("no route")

    monkeypatch.setattr(timm_weights, "is_offline", lambda: False)
    monkeypatch.setattr(timm_weights, "hf_hub_download", fail)
    with pytest.raises(URLError, match="no route"):
        load_from_timm(NAME)
