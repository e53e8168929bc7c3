"""`ovdistill vocab import`: published arrays become a vocabulary, and bad ones are refused."""

import numpy as np
import pytest

from ovdistill.core.errors import UserError
from ovdistill.vocabulary import Vocabulary


def test_import(run, tmp_path):
    np.save(tmp_path / "e.npy", np.eye(5, 4, dtype=np.float16).T)
    (tmp_path / "t.txt").write_text("a {}\n")
    out = tmp_path / "v.safetensors"
    arguments = [tmp_path / "e.npy", "--names", "a, b, c, d", "--split", "d", "--teacher", "clip:x"]
    _, printed = run("import", *arguments, "--templates", tmp_path / "t.txt", "-o", out)
    assert "teacher clip:x (weights of unknown hash)" in printed
    vocabulary = Vocabulary.load(out)
    assert (vocabulary.embed_dim, vocabulary.teacher.weights_hash) == (5, "")
    assert vocabulary.templates == ("a {}",)


BAD = {
    "no embeddings": (["none.npy", "--names", "a"], "cannot read embeddings"),
    "names that occur twice": (["e.npy", "--names", "a, a"], "one class"),
    "another count": (["e.npy", "--names", "a, b"], "(3, 4) for 2 names"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name, run, tmp_path):
    np.save(tmp_path / "e.npy", np.ones((3, 4)))
    (file, *arguments), message = BAD[name]
    with pytest.raises(UserError) as error:
        run("import", tmp_path / file, *arguments, "--teacher", "x", "-o", tmp_path / "x")
    assert message in str(error.value)
    assert not (tmp_path / "x").exists()
