"""The regions of a store as one list of rows."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ovdistill.store import Regions, write_store
from ovdistill.store.mapped_shards import MappedShards

COUNTS = {5: 3, 9: 0, 2: 4, 7: 1, 1: 2}  # regions of each image


@pytest.fixture
def regions() -> dict[int, Regions]:
    torch.manual_seed(0)
    return {
        image_id: Regions(torch.rand(n, 4), torch.rand(n), torch.randn(n, 8))
        for image_id, n in COUNTS.items()
    }


@pytest.mark.parametrize("images_per_shard", [1, 2, 100])
def test_rows_are_the_regions_in_order(images_per_shard, regions, tmp_path: Path) -> None:
    origin = dict(teacher="any", teacher_hash="")
    folder = write_store(tmp_path / "store", regions.items(), origin, images_per_shard)
    mapped = MappedShards(folder)
    assert len(mapped) == sum(COUNTS.values())
    assert mapped.image_ids.tolist() == [i for i, n in COUNTS.items() for _ in range(n)]
    embeddings = torch.cat(mapped.blocks)
    assert embeddings.dtype == torch.float16 and len(embeddings) == len(mapped)
    row = 0
    for image_id, own in regions.items():
        stored = mapped.store[image_id]
        assert torch.equal(embeddings[row : row + len(own)], stored.embeddings)
        for box, objectness in zip(own.boxes.tolist(), own.objectness.tolist(), strict=True):
            assert mapped[row] == (image_id, tuple(box), objectness)
            row += 1
    with pytest.raises(IndexError):
        mapped[row]
    with pytest.raises(IndexError):
        mapped[-1]
