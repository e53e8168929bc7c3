"""Vocabulary files are read without torch, and give what was saved."""

import json
import subprocess
import sys

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.core.vocabulary_header import read_header
from ovdistill.vocabulary import Vocabulary

WITHOUT_TORCH = """
import json, sys
from dataclasses import asdict

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "mmdet", "mmengine", "open_clip"):
            raise ImportError(f"{name} must not be imported")

sys.meta_path.insert(0, Refuse())
from ovdistill.core.vocabulary_header import read_header
print(json.dumps(asdict(read_header(sys.argv[1]))))
"""


@pytest.fixture
def path(tmp_path):
    Vocabulary(
        names=("cup", "boat"),
        embeddings=torch.eye(2, 3),
        is_base=torch.tensor([True, False]),
        teacher=TeacherId("some:tag", "abc"),
        templates=("a {}",),
        frequency=("f", "r"),
        synonyms=(("cup", "mug"), ("boat",)),
        synonyms_averaged=True,
    ).save(tmp_path / "v.safetensors")
    return tmp_path / "v.safetensors"


def test_everything_but_embeddings_is_read_without_torch(path):
    command = [sys.executable, "-c", WITHOUT_TORCH, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {
        "names": ["cup", "boat"],
        "is_base": [True, False],
        "embed_dim": 3,
        "teacher": ["some:tag", "abc"],
        "templates": ["a {}"],
        "synonyms_averaged": True,
        "frequency": ["f", "r"],
        "synonyms": [["cup", "mug"], ["boat"]],
        "counts": None,
        "has_tokens": False,
        "name_position": "",
        "format": "ovdistill-vocabulary-1",
        "spelling": "plain",
        "origin": {},
        "context_names": [],
    }


def test_no_file_and_a_file_of_something_else(path):
    with pytest.raises(UserError, match=r"no vocabulary file.*\n.*vocab build --names"):
        read_header(path.with_name("none"))
    path.write_bytes(b"no safetensors")
    with pytest.raises(UserError, match="damaged"):
        read_header(path)


def rewrite(path, change, **entries):
    """Write a vocabulary again with other tensors and entries, as a program could, unsealed."""
    tensors = load_file(path)
    with safe_open(path, "np") as file:
        metadata = {key: value for key, value in file.metadata().items() if key != "sha256"}
    change(tensors)
    save_file(tensors, path, metadata | entries)


@pytest.mark.parametrize(
    ("key", "content"),
    [
        *(("names", text) for text in ("5", "[[]]", "[" * 200_000, "[" + "9" * 5000 + "]", "null")),
        *(("names", text) for text in ("", '["a"]', '["a", "a"]', '["\\ud800", "b"]')),
        *(("synonyms", text) for text in ("[1]", "[[1], [2]]", '[["a"]]', "{}")),
        *(("templates", text) for text in ("null", "5", '"abc"', "[null]")),
        *(("counts", text) for text in ("[1]", "[1.5, 2]", "[-1, 0]", '["a", "b"]')),
        *(("frequency", text) for text in ("[1, 2]", '["f"]', "5")),
        *(("synonyms_averaged", "2"), ("place", "5"), ("origin", "[]"), ("origin", '{"a": 1}')),
    ],
)
def test_entries_of_other_types(path, key, content):
    rewrite(path, lambda tensors: None, **{key: content})
    for read in (read_header, Vocabulary.load):
        if read is read_header and content.startswith(('["a", "a', '["\\ud')):
            continue  # names are compared with each other where embeddings are read
        with pytest.raises(UserError, match=r"v\.safetensors"):
            read(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("embeddings", torch.zeros(size)) for size in ((2,), (2, 0), (3, 3), (2, 3, 1))),
        *(("embeddings", torch.eye(2, 3).to(kind)) for kind in (torch.float64, torch.int64)),
        ("embeddings", torch.full((2, 3), float("nan"))),
        ("embeddings", torch.zeros(2, 3)),
        *(("is_base", torch.zeros(size, dtype=torch.bool)) for size in (0, 3, (2, 1))),
        ("is_base", torch.zeros(2)),
        *(("token_embeddings", torch.zeros(size)) for size in ((2, 4), (0, 3), 3, (1, 3))),
    ],
)
def test_tensors_of_other_shapes_or_types(path, name, value):
    rewrite(path, lambda tensors: tensors.update({name: value}))
    with pytest.raises(UserError, match=r"v\.safetensors"):
        Vocabulary.load(path)


def test_every_changed_bit_is_found(path):
    before = Vocabulary.load(path)
    content = path.read_bytes()
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1 << (place % 8)
        path.write_bytes(changed)
        try:
            after = Vocabulary.load(path)
        except UserError:
            continue
        # the name of the checksum itself: what it guards is as it was
        assert content[place - 8 : place + 8].find(b"sha256") >= 0
        assert after.names == before.names and torch.equal(after.embeddings, before.embeddings)
