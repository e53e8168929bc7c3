"""Vocabularies: what fits together, encoding, published embeddings, files."""

import json
import os
import struct

import numpy as np
import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.datasets.names import read_names
from ovdistill.vocabulary import Names, Vocabulary, base_mask

from .fake_teacher import FakeTeacher


def vocabulary(**changes):
    parts = {
        "names": ("cup", "boat"),
        "embeddings": torch.eye(2),
        "is_base": torch.tensor([True, False]),
        "teacher": TeacherId("t", "h"),
        "templates": ("{}",),
        "frequency": ("f", "r"),
        "synonyms": (("cup", "mug"), ("boat",)),
    }
    return Vocabulary(**(parts | changes))


def test_save_load(tmp_path):
    saved = vocabulary()
    saved.save(tmp_path / "v.safetensors")
    loaded = Vocabulary.load(tmp_path / "v.safetensors")
    for field in ("names", "teacher", "templates", "frequency", "synonyms", "counts"):
        assert getattr(loaded, field) == getattr(saved, field), field
    assert torch.equal(loaded.embeddings, saved.embeddings)
    assert torch.equal(loaded.is_base, saved.is_base)
    assert (len(loaded), loaded.embed_dim) == (2, 2)
    assert os.listdir(tmp_path) == ["v.safetensors"]


def test_header_is_readable_without_torch(tmp_path):
    vocabulary().save(tmp_path / "v.safetensors")
    raw = (tmp_path / "v.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    metadata = json.loads(raw[8 : 8 + length])["__metadata__"]
    assert json.loads(metadata["names"]) == ["cup", "boat"]
    assert (metadata["teacher"], metadata["teacher_hash"]) == ("t", "h")


@pytest.mark.parametrize(
    "changes",
    [
        {"names": ("cup",)},
        {"names": ("cup", "cup")},
        {"names": ("cup", "")},
        {"names": (), "embeddings": torch.zeros(0, 2), "is_base": torch.zeros(0, dtype=bool)},
        {"embeddings": torch.eye(2).half()},
        {"embeddings": torch.zeros(2, 2)},
        {"embeddings": torch.eye(2) * torch.nan},
        {"embeddings": torch.eye(2) * 2},
        {"is_base": torch.ones(3, dtype=bool)},
        {"is_base": torch.ones(2)},
        {"frequency": ("f",)},
        {"synonyms": (("cup",),)},
        {"counts": (1, 2, 3)},
    ],
)
def test_parts_that_do_not_fit(changes):
    with pytest.raises(UserError, match="expected"):
        vocabulary(**changes)


def test_prompt_ensemble_by_hand():
    # Two of three prompts point to (1, 0), one to (0, 1): the mean is (2, 1) / 3.
    encoded = Vocabulary.encode(["cup"], FakeTeacher(), ("x {}", "xx {}", "{}"))
    torch.testing.assert_close(encoded.embeddings, torch.tensor([[2.0, 1.0]]) / 5**0.5)
    assert encoded.teacher == TeacherId("fake", "abc")
    assert encoded.is_base.tolist() == [True]


def test_encode_keeps_what_the_source_says():
    names = Names(("cup", "boat"), frequency=("f", "r"))
    encoded = Vocabulary.encode(
        names, FakeTeacher(), ("{}",), base_mask(names.names, names.frequency)
    )
    assert encoded.frequency == ("f", "r")
    assert encoded.is_base.tolist() == [True, False]


@pytest.mark.parametrize(("names", "templates"), [([], ("{}",)), (["cup"], ()), ([""], ("{}",))])
def test_encode_refuses(names, templates):
    with pytest.raises(UserError, match="expected"):
        Vocabulary.encode(names, FakeTeacher(), templates)


def test_only_some_of_the_classes():
    some = vocabulary(counts=(3, 4), token_embeddings=torch.eye(2)).only({"boat", "other"})
    assert (some.names, some.frequency, some.counts) == (("boat",), ("r",), (4,))
    assert some.synonyms == (("boat",),)
    assert some.embeddings.tolist() == [[0, 1]] and some.is_base.tolist() == [False]
    assert some.token_embeddings is None


def test_classes_of_another_vocabulary_follow_unless_they_are_spelled_otherwise_only():
    other = vocabulary(names=("Boat.", "Bow_(weapon)"), embeddings=torch.eye(2).flip(1))
    both = vocabulary().followed_by(other)
    assert both.names == ("cup", "boat", "Bow_(weapon)")
    assert both.embeddings.tolist() == [[1, 0], [0, 1], [1, 0]]
    assert both.is_base.tolist() == [True, False, False]


def test_width_of_a_detector():
    vocabulary().check_embed_dim(2)
    with pytest.raises(UserError, match="width 2.*width 3"):
        vocabulary().check_embed_dim(3)


def test_from_array_normalises(tmp_path):
    np.save(tmp_path / "e.npy", np.array([[3, 4], [0, 2]], np.float16))
    imported = Vocabulary.from_array(tmp_path / "e.npy", ["cup", "boat"])
    torch.testing.assert_close(imported.embeddings, torch.tensor([[0.6, 0.8], [0.0, 1.0]]))


@pytest.mark.parametrize(
    "array",
    [
        np.ones((3, 3), np.float32),
        np.ones(2, np.float32),
        np.ones((2, 2), int),
        np.array([[1, 0], [0, 0]], np.float32),
        np.array([[1, 0], [0, np.nan]], np.float32),
    ],
)
def test_bad_arrays(array):
    with pytest.raises(UserError, match="expected"):
        Vocabulary.from_array(array, ["cup", "boat"])


def test_bad_files(tmp_path):
    (tmp_path / "e.npy").write_bytes(b"no array")
    np.save(tmp_path / "pickle.npy", np.array([{}]), allow_pickle=True)
    for name in ("e.npy", "pickle.npy", "missing.npy"):
        with pytest.raises(UserError, match=name):
            Vocabulary.from_array(tmp_path / name, ["cup"])

    path = tmp_path / "v.safetensors"
    with pytest.raises(UserError, match="no vocabulary file"):
        Vocabulary.load(path)
    vocabulary().save(path)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(UserError, match="damaged"):
        Vocabulary.load(path)


def test_teacher_of_published_embeddings():
    array = np.eye(2)
    assert Vocabulary.from_array(array, ["a", "b"], "clip").teacher == TeacherId("clip")
    known = TeacherId("clip", "abc")
    assert Vocabulary.from_array(array, ["a", "b"], known).teacher is known


def test_real_lvis_embeddings(real_data):
    folder = real_data / "clip_text"
    names = read_names(folder / "lvis_v1_train_cat_info.json")
    mask = base_mask(names.names, names.frequency, "lvis")
    imported = Vocabulary.from_array(
        folder / "lvis_v1_clip_a+cname.npy", names, "ViT-B-32:openai", mask
    )
    assert (len(imported), imported.embed_dim, int(imported.is_base.sum())) == (1203, 512, 866)
    by_name = dict(zip(imported.names, imported.embeddings, strict=True))
    cat, dog, bolt = by_name["cat"], by_name["dog"], by_name["bolt"]
    assert cat @ dog > cat @ bolt
