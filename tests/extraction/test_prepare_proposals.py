"""The proposal network: the one that ships with the package, or the command that trains one."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ovdistill.core.assets import ASSETS
from ovdistill.core.errors import UserError
from ovdistill.extraction import prepare as steps
from ovdistill.extraction.prepare_proposals import check_one_trains, prepare_proposals
from ovdistill.models.build import build_detector
from ovdistill.models.config import load_config


@pytest.mark.parametrize("split", ["shape", "compositional"])
def test_the_shipped_proposal_network_is_taken(split, tmp_path):
    config = load_config("vild_r18_shapes", dict(data_root=str(tmp_path / "data"), split=split))
    checkpoint = Path(config.prepare.proposals.checkpoint)
    prepare_proposals(config, **config.prepare.proposals)
    names = {path.name for path in checkpoint.parent.iterdir()}
    assert names == {"proposals.pth", "proposals.origin.json"}
    network = build_detector(load_config("proposals_r18_shapes"), checkpoint)
    shipped = load_file(ASSETS / f"proposals_{split}.safetensors")
    assert all(
        torch.equal(shipped[key].float(), v.float()) for key, v in network.state_dict().items()
    )
    # one that is there stays
    before = checkpoint.stat().st_mtime_ns
    prepare_proposals(config, **config.prepare.proposals)
    assert checkpoint.stat().st_mtime_ns == before


def test_one_process_alone_trains_the_network(tmp_path, monkeypatch):
    options = {"prepare.proposals.train": True, "prepare.proposals.published": None}
    config = load_config("vild_r18_shapes", dict(options, data_root=str(tmp_path)))
    check_one_trains(config, 1)
    monkeypatch.setattr(steps, "get_world_size", lambda: 2)
    with pytest.raises(UserError, match=r"2 processes.*proposals.pth yet"):
        steps.prepare(config)
    config.prepare.proposals.published = "proposals_shape"  # it ships, so nobody trains it
    check_one_trains(config, 2)


def test_without_weights_the_command_that_makes_them_is_named(tmp_path):
    config = load_config("vild_r18_shapes", dict(data_root=str(tmp_path)))
    options = dict(config.prepare.proposals, published="none", train=False)
    with pytest.raises(UserError, match=r"ovdistill train .*proposals_r18_shapes.py"):
        prepare_proposals(config, **options)
