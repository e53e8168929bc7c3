"""How processes meet; tests/test_smoke.py trains and tests with two."""

import pytest
import torch
from mmengine.config import Config

from ovdistill.commands.processes import init_processes
from ovdistill.core.errors import UserError


@pytest.mark.skipif(torch.cuda.is_available(), reason="about machines without a GPU")
def test_without_a_gpu_only_torchrun_starts_processes():
    with pytest.raises(UserError, match="got --launcher slurm without a GPU; expected 'pytorch'"):
        init_processes(Config(dict(env_cfg=dict())), "slurm")


def test_one_process_needs_nothing():
    config = Config(dict(env_cfg=dict()))
    init_processes(config, "none")
    assert "model_wrapper_cfg" not in config
    assert not torch.distributed.is_initialized()


def test_a_process_that_nothing_has_started_names_the_launcher(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(UserError, match="--launcher pytorch without 'RANK' .* torchrun"):
        init_processes(Config(dict(env_cfg=dict())), "pytorch")
