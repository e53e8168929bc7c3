"""`ovdistill vocab build` with the embedded teacher, and on bad input."""

import pytest

from ovdistill.core.errors import UserError
from ovdistill.vocabulary import Vocabulary

NAMES = "solid star, striped star, dotted ring, outlined heart"


def test_build(built, run, tmp_path):
    vocabulary = Vocabulary.load(built)
    assert vocabulary.names == tuple(NAMES.split(", "))
    assert vocabulary.is_base.tolist() == [True, True, True, False]
    assert vocabulary.teacher.name == "ovshapes-rn+clip-gap" and vocabulary.teacher.weights_hash
    out = tmp_path / "more.safetensors"
    arguments = ["--names", NAMES, "--templates", "vild63", "--tokens", "--teacher", "ovshapes"]
    _, printed = run("build", *arguments, "-o", out)
    assert str(out) in printed and "4 names (4 base, 0 novel)" in printed
    assert "width 128" in printed and "ovshapes-rn" in printed
    more = Vocabulary.load(out)
    assert len(more.templates) == 63 and len(more.token_embeddings) == 7


def test_a_file_is_not_written_over(built, run, tmp_path):
    before = built.read_bytes()
    arguments = ["build", "--names", "cup", "--teacher", "ovshapes", "-o", built]
    with pytest.raises(UserError, match="--force"):
        run(*arguments)
    assert built.read_bytes() == before
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(before)
    run(*arguments[:-1], copy, "--force")
    assert Vocabulary.load(copy).names == ("cup",)


BAD = {
    "no teacher": (["--names", "a"], "no teacher"),
    "no templates": (
        ["--names", "a", "--teacher", "ovshapes", "--templates", "nil"],
        "single, vild63",
    ),
    "synonyms of a plain list": (
        ["--names", "lvis", "--synonyms", "--teacher", "ovshapes"],
        "lvis_v1_train.json",
    ),
    "split that does not fit": (
        ["--names", "a", "--split", "b", "--teacher", "ovshapes"],
        "not in the vocabulary: b",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name, run, tmp_path):
    arguments, message = BAD[name]
    with pytest.raises(UserError) as error:
        run("build", *arguments, "-o", tmp_path / "x")
    assert message in str(error.value)
    assert not (tmp_path / "x").exists()
