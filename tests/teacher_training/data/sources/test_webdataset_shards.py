"""Tar files that the library itself wrote and reads."""

from __future__ import annotations

import io
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ovdistill.core.errors import UserError
from ovdistill.core.images import ImageError
from ovdistill.teacher_training.data.sources.webdataset_shards import WebdatasetShards

wds = pytest.importorskip("webdataset")
RNG = np.random.default_rng(0)


def png(value: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((8, 8, 3), value, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def shards(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("shards")
    for shard in range(3):
        with wds.TarWriter(str(folder / f"{shard:03}.tar")) as file:
            for number in range(shard * 10, shard * 10 + 10):
                sample = {"__key__": f"{number:05}", "png": png(number), "txt": f"text {number}"}
                file.write(sample)
    return str(folder / "{000..002}.tar")


def texts(source: WebdatasetShards, count: int, seed: int = 0, rank: int = 0, ranks: int = 1):
    return [load(RNG).text for load in islice(source.stream(seed, rank, ranks), count)]


def test_all_pairs_once_a_pass_shuffled_by_the_seed(shards) -> None:
    source = WebdatasetShards(shards, shuffle=5)
    passes = texts(source, 60)
    assert len(source.shards) == 3
    for start in (0, 30):
        assert sorted(passes[start : start + 30]) == sorted(f"text {n}" for n in range(30))
    assert passes[:30] != passes[30:]
    assert texts(source, 60) == passes != texts(source, 60, seed=1)
    pair = next(source.stream(0, 0, 1))(RNG)
    assert pair.image.shape == (8, 8, 3) and pair.text == f"text {pair.image.max()}"


def test_processes_share_the_tar_files(shards) -> None:
    source = WebdatasetShards(shards)
    first, second = (texts(source, count, rank=r, ranks=2) for r, count in ((0, 20), (1, 10)))
    assert sorted(first + second) == sorted(f"text {n}" for n in range(30))
    with pytest.raises(UserError, match="3 tar files for 4 processes"):
        next(source.stream(0, 0, 4))


def test_bad_samples_and_files(tmp_path: Path) -> None:
    path = tmp_path / "bad.tar"
    with wds.TarWriter(str(path)) as file:
        file.write({"__key__": "1", "png": b"no image", "txt": "a"})
        file.write({"__key__": "2", "png": png(1)})
        file.write({"__key__": "3", "png": png(1), "txt": b"caf\xe9"})
    records = islice(WebdatasetShards(str(path), image="png", shuffle=0).stream(0, 0, 1), 3)
    matches = (r"bad\.tar/1", "it has png; expected a text", "its txt is no text in UTF-8")
    for record, match in zip(records, matches, strict=True):
        with pytest.raises(ImageError, match=match):  # which --max-bad-images may skip
            record(RNG)
    with pytest.raises(UserError, match="none.tar"):
        next(WebdatasetShards(str(tmp_path / "none.tar")).stream(0, 0, 1))
    (tmp_path / "damaged.tar").write_bytes(b"x" * 2000)
    with pytest.raises(UserError, match="damaged.tar"):
        next(WebdatasetShards(str(tmp_path / "damaged.tar")).stream(0, 0, 1))
