"""How the processes of a command join; tests/test_smoke.py trains and tests with two."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from mmengine.config import Config

from ovdistill.commands.processes import fit_to_cpu, init_processes
from ovdistill.core.errors import UserError


def config() -> Config:
    return Config(dict(env_cfg=dict()))


@pytest.mark.skipif(torch.cuda.is_available(), reason="about machines without a GPU")
@pytest.mark.parametrize("launcher", ["slurm", "mpi"])
def test_without_a_gpu_only_torchrun_starts_processes(launcher: str) -> None:
    with pytest.raises(UserError, match=f"--launcher {launcher} .*'pytorch'"):
        init_processes(config(), launcher)


def test_one_process_needs_nothing() -> None:
    own = config()
    init_processes(own, "none")
    assert "model_wrapper_cfg" not in own
    assert not torch.distributed.is_initialized()


def test_a_process_that_nothing_has_started_names_the_launcher(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(UserError, match="--launcher pytorch .*'RANK'.* torchrun"):
        init_processes(config(), "pytorch")
    assert not torch.distributed.is_initialized()


@pytest.mark.parametrize("kind", ["torch", None])
def test_batches_are_normalised_apart_without_gpus(kind: str | None, caplog: Any) -> None:
    own = Config(dict(sync_bn=kind))
    with caplog.at_level("INFO"):
        fit_to_cpu(own)
    assert own.sync_bn is None and own.model_wrapper_cfg.device_ids is None
    assert ("sync_bn='torch' needs GPUs" in caplog.text) == (kind is not None)
