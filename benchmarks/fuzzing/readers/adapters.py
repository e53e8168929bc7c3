"""Adapters of teachers: safetensors files with settings in their header."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

import torch
from torch.nn.functional import normalize

from ovdistill.core.teacher_id import TeacherId
from ovdistill.teacher import (
    ClipAdapter,
    NamedAdapter,
    TeacherAdapter,
    TipAdapter,
    UnifiedPrompts,
    VisualPrompt,
    read_adapter,
    write_adapter,
)

from ..mutate_tensors import in_order, mutate_safetensors
from ..reader import Files, Reader

NAME = "input.safetensors"
WIDTH = 4


def _seed(adapter: TeacherAdapter, folder: Path) -> Files:
    named = NamedAdapter("field", TeacherId("fuzz", "0" * 16), adapter)
    write_adapter(folder / NAME, named)
    return {NAME: in_order((folder / NAME).read_bytes())}


class AdapterReader(Reader):
    """``read_adapter``."""

    name = "adapter"

    def seeds(self) -> Sequence[Files]:
        """Return an adapter of each kind."""
        clip = ClipAdapter(WIDTH, reduction=2, text_ratio=0.5)
        clip.load_state_dict({name: torch.ones_like(v) for name, v in clip.state_dict().items()})
        keys, classes = torch.eye(2, WIDTH), torch.arange(2)
        tip = TipAdapter.of_cache(keys, classes, keys, classes, alpha=1.0, beta=2.0, tau=0.1)
        with tempfile.TemporaryDirectory() as folder:
            prompts = VisualPrompt(8, 2), UnifiedPrompts(8, 1, num_vectors=2, text_width=3)
            return [_seed(adapter, Path(folder)) for adapter in (clip, tip, *prompts)]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change header, tensors or bytes."""
        return {NAME: mutate_safetensors(files[NAME], rng)}

    def read(self, folder: Path) -> None:
        """Read the adapter, and use it where it takes embeddings of this width."""
        found = read_adapter(folder / NAME)
        assert isinstance(found.name, str) and len(found.adapter.digest) == 64
        wide = found.adapter.embed_dim_after(WIDTH)
        embeddings = normalize(torch.ones(3, WIDTH, dtype=torch.float64), dim=1)
        for change in (found.adapter.adapt_images, found.adapter.adapt_texts):
            assert change(embeddings).shape == (3, wide)
        write_adapter(folder / "again.safetensors", found)
