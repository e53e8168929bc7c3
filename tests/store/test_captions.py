"""Captions by image id, with their noun phrases, from a file in COCO's format."""

import json
import pickle

import pytest
import torch
from mmengine.config import Config

from ovdistill.core.errors import UserError
from ovdistill.extraction.captions import extract_captions, read_captions
from ovdistill.store.captions import CaptionStore, write_captions
from ovdistill.teacher import build_teacher

CONFIG = Config(dict(teacher=dict(model="ovshapes")))
CAPTIONS = {7: ["a red striped star and a ring", "a ring"], 3: ["on the"]}


def coco(path, captions=CAPTIONS):
    records = [
        dict(id=0, image_id=image, caption=caption)
        for image, own in captions.items()
        for caption in own
    ]
    path.write_text(json.dumps(dict(annotations=records)))
    return path


def test_captions_are_the_teachers_embeddings(tmp_path):
    extract_captions(CONFIG, coco(tmp_path / "captions.json"), tmp_path / "store")
    store = pickle.loads(pickle.dumps(CaptionStore(tmp_path / "store")))
    teacher = build_teacher(CONFIG.teacher)
    first, second = store[7]
    texts = ["a red striped star and a ring", "red striped star", "ring"]
    expected = teacher.encode_text(texts)
    assert torch.allclose(first.embedding, expected[0], atol=1e-3)
    assert torch.allclose(first.phrases, expected[1:], atol=1e-3)
    assert torch.allclose(second.phrases, expected[2:], atol=1e-3)
    assert first.phrases.norm(dim=1).tolist() == pytest.approx([1.0, 1.0], abs=1e-6)
    (bare,) = store[3]
    assert bare.phrases.shape == (0, teacher.embed_dim)
    assert store.header["teacher_hash"] == teacher.weights_hash
    assert len(store) == 2


def test_an_absent_image_is_an_error(tmp_path):
    write_captions(tmp_path / "store", {1: [(0, [])]}, torch.ones(1, 4), {})
    with pytest.raises(UserError, match="image 2 has no caption"):
        CaptionStore(tmp_path / "store")[2]


def test_bad_files(tmp_path):
    with pytest.raises(UserError, match="no file"):
        CaptionStore(tmp_path / "none")
    (tmp_path / "text").write_text("{}")
    with pytest.raises(UserError, match="damaged"):
        CaptionStore(tmp_path / "text")
    for path in (tmp_path / "text", tmp_path / "none"):
        with pytest.raises(UserError, match="COCO's format"):
            read_captions(path)
    with pytest.raises(UserError, match="zero or NaN"):
        write_captions(tmp_path / "store", {1: [(0, [])]}, torch.zeros(1, 4), {})
    with pytest.raises(UserError, match="no captions"):
        write_captions(tmp_path / "store", {}, torch.ones(1, 4), {})
