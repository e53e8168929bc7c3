"""Whatever the bytes of a store or of captions are: the content that was written, or our error."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from ovdistill.core.errors import UserError
from ovdistill.store import CaptionStore, TeacherStore, write_store
from ovdistill.store.captions import write_captions
from ovdistill.store.maintenance import verify
from ovdistill.store.shard import KEY, _digest

from .regions import random_regions

TEXTS = torch.eye(4)
CAPTIONS = {7: [(0, [1, 2]), (2, [])], 3: [(1, [])]}
Tensors = dict[str, torch.Tensor]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    records = [(image_id, random_regions(3, seed=image_id)) for image_id in range(2)]
    return write_store(tmp_path / "store", records, {"teacher": "t"})


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    write_captions(tmp_path / "c.safetensors", CAPTIONS, TEXTS, {"teacher": "t"})
    return tmp_path / "c.safetensors"


@pytest.mark.parametrize(
    "change",
    [
        *(dict(shards=value) for value in (1.5, 10**12, 10**9, -1, "1", None, True, 2)),
        *(dict(pictures=value) for value in (1.5, -1, None, [])),
        *(dict(provenance=value) for value in (None, [], {}, {"dim": 0}, {"dim": 1e9})),
        *(dict(provenance=dict(dim=8, teacher=value)) for value in (5, None, [])),
        *(dict(counts=value) for value in (5, {"pictures": 1}, dict(pictures="a", regions=1))),
        *(dict(format=value) for value in (None, 5, "ovdistill-store-9")),
    ],
    ids=str,
)
def test_meta_of_other_types(folder: Path, change: dict[str, Any]) -> None:
    path = folder / "meta.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    start = time.monotonic()
    for read in (TeacherStore, verify):
        with pytest.raises(UserError, match=str(folder)):
            read(folder)
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("content", [b"", b"\xff\xfe{}", b"[" * 200_000, b"9" * 5000, b"null"])
def test_meta_of_any_bytes(folder: Path, content: bytes) -> None:
    (folder / "meta.json").write_bytes(content)
    with pytest.raises(UserError, match=r"meta\.json"):
        TeacherStore(folder)


def changed(name: str, index: int, value: float) -> Callable[[Tensors], None]:
    """Return a change of one value of a tensor."""

    def change(tensors: Tensors) -> None:
        tensors[name].view(-1)[index] = value

    return change


def replaced(name: str, value: torch.Tensor | None) -> Callable[[Tensors], None]:
    """Return a change of a whole tensor; None takes it away."""

    def change(tensors: Tensors) -> None:
        tensors.pop(name)
        if value is not None:
            tensors[name] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        *(changed("offsets", place, value) for place, value in ((0, -1), (1, 9), (2, 10**15))),
        changed("image_ids", 0, 1),
        changed("embeddings", 0, float("nan")),
        changed("boxes", 0, float("nan")),
        replaced("embeddings", torch.zeros(6, 8, dtype=torch.float16)),
        replaced("embeddings", torch.ones(6, 9, dtype=torch.float16)),
        replaced("embeddings", torch.ones(6, 8)),
        replaced("embeddings", None),
        replaced("boxes", torch.zeros(6, 5)),
        replaced("boxes", torch.zeros(6)),
        replaced("objectness", torch.zeros(5)),
        replaced("offsets", torch.tensor([0.0, 3, 6])),
        replaced("offsets", torch.zeros(0, dtype=torch.int64)),
        replaced("image_ids", torch.zeros(2, 1, dtype=torch.int64)),
        replaced("image_ids", torch.zeros(2, dtype=torch.int32)),
    ],
)
def test_a_crafted_shard_with_a_right_checksum(
    folder: Path, change: Callable[[Tensors], None]
) -> None:
    path = folder / "shard-00000.safetensors"
    tensors = load_file(path)
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
    own = json.loads(header[KEY])
    change(tensors)
    del own["sha256"]
    own["sha256"] = _digest(tensors, own)
    save_file(tensors, path, {KEY: json.dumps(own)})
    with pytest.raises(UserError, match="store"):
        TeacherStore(folder)


@pytest.mark.parametrize(
    "change",
    [
        *(changed("captions_of_image", place, value) for place, value in ((0, 1), (1, 0), (1, 9))),
        *(changed("phrases_of_caption", place, value) for place, value in ((0, -1), (2, 1))),
        *(changed("caption_text", 0, value) for value in (-1, 4, 2**62)),
        *(changed("phrase_text", 0, value) for value in (-1, 4)),
        changed("image_ids", 0, 3),
        replaced("caption_text", torch.zeros(3)),
        replaced("caption_text", torch.zeros(3, 1, dtype=torch.int64)),
        replaced("caption_text", None),
        replaced("embeddings", None),
        replaced("embeddings", torch.eye(4)),
        replaced("embeddings", torch.zeros(4, dtype=torch.float16)),
        replaced("embeddings", torch.zeros(4, 4, dtype=torch.float16)),
    ],
)
def test_crafted_captions(captions: Path, change: Callable[[Tensors], None]) -> None:
    tensors = load_file(captions)
    change(tensors)
    save_file(tensors, captions, {"format": "ovdistill-captions-1", "header": "{}"})
    with pytest.raises(UserError, match=r"c\.safetensors"):
        CaptionStore(captions)[7]


@pytest.mark.parametrize("header", ["", "5", "[" * 100_000, '{"teacher": 5}', "NaN"])
def test_captions_with_another_header(captions: Path, header: str) -> None:
    metadata = {"format": "ovdistill-captions-1", "header": header}
    save_file(load_file(captions), captions, metadata)
    with pytest.raises(UserError, match=r"c\.safetensors"):
        CaptionStore(captions)


def test_a_changed_bit_of_captions_is_found(captions: Path) -> None:
    content = bytearray(captions.read_bytes())
    content[-1] ^= 1
    captions.write_bytes(content)
    with pytest.raises(UserError, match="bits have changed"):
        CaptionStore(captions)
