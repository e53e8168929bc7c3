"""Captions by image id, with their noun phrases."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.store import CaptionStore
from ovdistill.store.captions import write_captions

CAPTIONS = {7: [(0, [1, 2]), (2, [2])], 3: [(3, [])]}
TEACHER = TeacherId("t", "abc")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_captions(tmp_path / "new" / "captions", CAPTIONS, embeddings(), TEACHER.to_header())
    return tmp_path / "new" / "captions"


def embeddings() -> torch.Tensor:
    return torch.randn(4, 8, generator=torch.Generator().manual_seed(0))


def test_captions_and_phrases_have_the_embeddings_of_their_rows(path: Path) -> None:
    store = pickle.loads(pickle.dumps(CaptionStore(path)))
    assert (len(store), store.teacher) == (2, TEACHER)
    expected = normalize(embeddings(), dim=1)
    assert len(store[7]) == 2
    for caption, (row, rows) in zip(
        [*store[7], *store[3]], sum(CAPTIONS.values(), []), strict=True
    ):
        assert caption.embedding.dtype == caption.phrases.dtype == torch.float32
        torch.testing.assert_close(caption.embedding, expected[row], atol=1e-3, rtol=0)
        torch.testing.assert_close(caption.phrases, expected[rows], atol=1e-3, rtol=0)
        norms = torch.cat([caption.embedding[None], caption.phrases]).norm(dim=1)
        torch.testing.assert_close(norms, torch.ones(len(norms)))
    assert store[3][0].phrases.shape == (0, 8)
    assert [p.name for p in path.parent.iterdir()] == ["captions"]


def test_workers_read_it(path: Path) -> None:
    store = CaptionStore(path)
    first = store[7][0].embedding
    loader = torch.utils.data.DataLoader(
        [7], batch_size=None, num_workers=1, collate_fn=lambda i: store[i][0].embedding,
        multiprocessing_context="fork",
    )  # fmt: skip
    assert torch.equal(next(iter(loader)), first)


def test_an_absent_image_is_an_error(path: Path) -> None:
    with pytest.raises(UserError, match="image 2 .*of 2 images"):
        CaptionStore(path)[2]


def test_missing_and_damaged_files(path: Path) -> None:
    with pytest.raises(UserError, match="none"):
        CaptionStore(path.with_name("none"))
    content = path.read_bytes()
    for damaged in (b"{}", b"", content[:40], content[:-5]):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match="captions"):
            CaptionStore(path)


def test_bad_captions_leave_the_former_file(path: Path) -> None:
    before = path.read_bytes()
    for captions, rows in (
        ({}, torch.ones(1, 4)),
        ({1: [(0, [])]}, torch.zeros(1, 4)),
        ({1: [(0, [])]}, torch.full((1, 4), torch.nan)),
    ):
        with pytest.raises(UserError):
            write_captions(path, captions, rows, {})
    assert path.read_bytes() == before
