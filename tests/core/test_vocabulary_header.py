"""Vocabulary files are read without torch, and give what was saved."""

import json
import subprocess
import sys

import pytest
import torch

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
    }


def test_no_file_and_a_file_of_something_else(path):
    with pytest.raises(UserError, match=r"no vocabulary file.*\n.*vocab build --names"):
        read_header(path.with_name("none"))
    path.write_bytes(b"no safetensors")
    with pytest.raises(UserError, match="damaged"):
        read_header(path)
