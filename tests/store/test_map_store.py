"""A store whose embeddings are mapped without the teacher."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.commands import main
from ovdistill.core.centring import centring_map
from ovdistill.core.embedding_map import EmbeddingMap, mapped_id, read_embedding_map
from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.store import Regions, TeacherStore, write_store
from ovdistill.store.map_store import map_store
from ovdistill.store.meta import TEACHER_CHANGES, digest_changes, write_meta
from ovdistill.vocabulary import Vocabulary

TEACHER = TeacherId("tiny", "0123456789abcdef")


@pytest.fixture
def store(tmp_path):
    records = [
        (image, Regions(torch.rand(3, 4), torch.rand(3), normalize(torch.rand(3, 6), dim=1)))
        for image in range(5)
    ]
    return write_store(tmp_path / "store", records, TEACHER.to_header(), images_per_shard=2)


def test_embeddings_are_mapped_and_the_rest_is_kept(store, tmp_path):
    before = TeacherStore(store)
    regions = torch.cat([before[i].embeddings.float() for i in range(5)])
    found = centring_map(regions, normalize(torch.rand(4, 6), dim=1), TEACHER)
    meta = map_store(store, found, tmp_path / "out")
    after = TeacherStore(tmp_path / "out")
    assert after.teacher == mapped_id(TEACHER, found) and meta.counts["regions"] == 15
    for image in range(5):
        assert torch.equal(after[image].boxes, before[image].boxes)
        assert torch.equal(after[image].objectness, before[image].objectness)
        expected = found.images(before[image].embeddings.float())
        torch.testing.assert_close(
            after[image].embeddings.float(), expected, atol=1e-3, rtol=0, check_dtype=False
        )
    other = centring_map(regions, regions, TeacherId("other", "ff"))
    with pytest.raises(UserError, match="of teacher other"):
        map_store(store, other, tmp_path / "more")


def test_the_map_is_noted_with_those_before_it(store, tmp_path):
    """As the preparation notes it of a teacher with the same maps, in any order."""
    weights = torch.eye(6)
    first = EmbeddingMap("centred", TEACHER, 0.01, {"image_weight": weights})
    once = map_store(store, first, tmp_path / "one")
    assert once.origin == {TEACHER_CHANGES: first.digest[:16]}
    second = EmbeddingMap("centred", once.teacher, 0.01, {"image_weight": 2 * weights})
    twice = map_store(tmp_path / "one", second, tmp_path / "two")
    assert twice.origin == {TEACHER_CHANGES: digest_changes([second.digest, first.digest])}
    write_meta(tmp_path / "one", replace(once, origin={"source": "x"}))  # of an earlier version
    assert map_store(tmp_path / "one", second, tmp_path / "old").origin == {"source": "x"}


def test_the_commands(store, tmp_path, capsys):
    texts = normalize(torch.rand(4, 6), dim=1)
    vocabulary = Vocabulary(tuple("abcd"), texts, torch.ones(4, dtype=torch.bool), TEACHER)
    vocabulary.save(tmp_path / "v.safetensors")
    out = str(tmp_path / "map.safetensors")
    named = ["--vocabulary", str(tmp_path / "v.safetensors")]
    main.run(["store", "centre", str(store), *named, "-o", out])
    assert "15 regions" in capsys.readouterr().out
    narrow = str(tmp_path / "narrow.safetensors")
    main.run(["store", "centre", str(store), *named, "--variance", "0.5", "-o", narrow])
    assert read_embedding_map(narrow).tensors["text_weight"].shape[0] < 6
    with pytest.raises(UserError, match="variance"):
        main.run(["store", "centre", str(store), *named, "--variance", "1.5", "-o", narrow])
    main.run(["store", "map", str(store), out, "-o", str(tmp_path / "new")])
    mapped = TeacherStore(tmp_path / "new")
    assert mapped.teacher == mapped_id(TEACHER, read_embedding_map(out))
    mean = torch.cat([mapped[i].embeddings.float() for i in range(5)]).mean(dim=0)
    assert float(mean.norm()) < 0.2
    vocabulary = Vocabulary(tuple("ab"), texts[:2], torch.ones(2, dtype=torch.bool), TeacherId("x"))
    vocabulary.save(tmp_path / "v.safetensors")
    with pytest.raises(UserError, match="expected one teacher"):
        main.run(["store", "centre", str(store), *named, "-o", out])
    Vocabulary(("a",), texts[:1], torch.tensor([True]), TEACHER).save(tmp_path / "v.safetensors")
    for words, message in (([], "two names"), (["--temperature", "0"], "--temperature")):
        with pytest.raises(UserError, match=message):
            main.run(["store", "centre", str(store), *named, *words, "-o", out])
