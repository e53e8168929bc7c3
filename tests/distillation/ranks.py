"""Runs a function on several gloo ranks and collects what each returns."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import torch.distributed as dist
import torch.multiprocessing as mp


def _rank(rank: int, port: int, ranks: int, function: Callable, results: Any) -> None:
    dist.init_process_group("gloo", f"tcp://127.0.0.1:{port}", rank=rank, world_size=ranks)
    results.put((rank, function(rank)))
    dist.barrier()  # a rank that leaves while the others still connect may abort them
    dist.destroy_process_group()


def run_on_ranks(function: Callable[[int], Any], ranks: int = 2) -> list[Any]:
    """``function(rank)`` of each rank, in order; its results must be plain values."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    results = mp.get_context("spawn").SimpleQueue()
    mp.spawn(_rank, args=(port, ranks, function, results), nprocs=ranks)
    return [value for _, value in sorted(results.get() for _ in range(ranks))]
