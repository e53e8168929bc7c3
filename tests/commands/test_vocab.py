"""`ovdistill vocab`: every command on the embedded teacher's words, and on bad input."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ovdistill.commands import main as cli
from ovdistill.commands import vocab
from ovdistill.core.errors import UserError
from ovdistill.vocabulary import Names, Vocabulary

NAMES = "solid star, striped star, dotted ring, outlined heart"


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("vocab") / "words.safetensors"
    arguments = ["--names", NAMES, "--split", "outlined heart", "--teacher", "ovshapes"]
    cli.run(["vocab", "build", *arguments, "-o", str(path)])
    return path


def run(capsys, *arguments: object) -> tuple[int | None, str]:
    """Exit code and output of a command."""
    capsys.readouterr()
    code = cli.run(["vocab", *map(str, arguments)])
    return code, capsys.readouterr().out


@pytest.mark.parametrize("name", vocab.COMMANDS)
def test_every_command_has_help(name, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.run(["vocab", name, "--help"])
    assert stopped.value.code == 0
    assert f"usage: ovdistill vocab {name}" in capsys.readouterr().out


def test_build(built, tmp_path, capsys):
    words = Vocabulary.load(built)
    assert words.names == tuple(NAMES.split(", "))
    assert words.is_base.tolist() == [True, True, True, False]
    assert words.teacher == "ovshapes-rn" and words.teacher_hash
    out = tmp_path / "more.safetensors"
    arguments = ["--names", NAMES, "--templates", "vild63", "--tokens", "--teacher", "ovshapes"]
    _, printed = run(capsys, "build", *arguments, "-o", out)
    assert f"wrote {out}: 4 words (4 base, 0 novel) of width 128, teacher ovshapes-rn" in printed
    more = Vocabulary.load(out)
    assert len(more.templates) == 63 and len(more.token_embeddings) == 7


def test_a_file_is_not_written_over(built, tmp_path, capsys):
    before = built.read_bytes()
    arguments = ["build", "--names", "cup", "--teacher", "ovshapes", "-o", built]
    with pytest.raises(UserError, match="--force"):
        run(capsys, *arguments)
    assert built.read_bytes() == before
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(before)
    run(capsys, *arguments[:-1], copy, "--force")
    assert Vocabulary.load(copy).names == ("cup",)


def test_import(tmp_path, capsys):
    np.save(tmp_path / "e.npy", np.eye(5, 4, dtype=np.float16).T)
    (tmp_path / "t.txt").write_text("a {}\n")
    out = tmp_path / "v.safetensors"
    arguments = [tmp_path / "e.npy", "--names", "a, b, c, d", "--split", "d", "--teacher", "clip:x"]
    _, printed = run(capsys, "import", *arguments, "--templates", tmp_path / "t.txt", "-o", out)
    assert "teacher clip:x (weights of unknown hash)" in printed
    words = Vocabulary.load(out)
    assert (words.embed_dim, words.teacher_hash, words.templates) == (5, "", ("a {}",))


def test_show(built, capsys):
    _, printed = run(capsys, "show", built)
    lines = printed.splitlines()
    assert "words: 4 (3 base, 1 novel)" in lines
    assert "outlined heart\tnovel\t-\t-" in lines
    _, printed = run(capsys, "show", built, "--grep", "STAR", "--limit", 1)
    assert "solid star" in printed and "ring" not in printed and "1 more" in printed
    _, printed = run(capsys, "show", built, "--json")
    content = json.loads(printed)
    assert content["names"] == NAMES.split(", ")
    assert content["teacher"]["name"] == "ovshapes-rn"


def test_show_on_a_terminal(built, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    _, printed = run(capsys, "show", built)
    assert "┃" in printed and "outlined heart" in printed


def test_a_reader_may_stop(built, tmp_path):
    words = Vocabulary.from_array(np.ones((9999, 2)), [f"word {n}" for n in range(9999)])
    words.save(tmp_path / "v")
    command = f"{sys.executable} -m ovdistill.commands.main vocab show --limit 0 {tmp_path / 'v'} | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("format: ovdistill-vocabulary-1\n", "")


def test_show_needs_no_torch(built):
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from ovdistill.commands import main as cli\n"
        f"cli.run(['vocab', 'show', {str(built)!r}])\n"
        f"cli.run(['vocab', 'diff', {str(built)!r}, {str(built)!r}])\n"
        f"cli.run(['vocab', 'nearest', {str(built)!r}, '--word', 'dotted ring'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "equal: 4 words" in done.stdout and "1.000\tdotted ring" in done.stdout


def test_equal_files(built, tmp_path, capsys):
    words = Vocabulary.load(built)
    almost = torch.nn.functional.normalize(words.embeddings + 1e-6, dim=1)
    replace(words, embeddings=almost).save(tmp_path / "b")
    code, printed = run(capsys, "diff", built, tmp_path / "b")
    assert code == 0 and printed.startswith("equal: 4 words of teacher ovshapes-rn")


def test_differences(tmp_path, capsys):
    a = Vocabulary.from_array(np.eye(3), Names(("a", "b", "c"), frequency=("f", "f", "r")), "x")
    turned = np.array([[0, 1, 0], [0.6, 0, 0.8], [0, 0, 1]])
    b = Vocabulary.from_array(
        turned,
        Names(("b", "a", "d"), frequency=("c", "f", "f")),
        "y",
        torch.tensor([True, False, True]),
        templates=("a {}",),
    )
    a.save(tmp_path / "a")
    b.save(tmp_path / "b")
    code, printed = run(capsys, "diff", tmp_path / "a", tmp_path / "b")
    assert code == 1
    assert printed.splitlines() == [
        "teacher: x (weights of unknown hash) -> y (weights of unknown hash)",
        "templates: unknown -> 1 ('a {}', ...)",
        "removed (1):",
        "  c",
        "added (1):",
        "  d",
        "in another order (2):",
        "  b",
        "  a",
        "changed (2):",
        "  a: split base -> novel",
        "  b: frequency f -> c",
        "cosine of both embeddings of 2 names: median 0.8000",
        "lowest (1):",
        "  0.6000  a",
    ]
    Vocabulary.from_array(np.eye(3, 4), a.names, "x").save(tmp_path / "c")
    code, printed = run(capsys, "diff", tmp_path / "a", tmp_path / "c")
    assert code == 1
    assert printed == "width: 3 -> 4\nhas frequency: True -> False\n"


def test_nearest(built, capsys):
    _, printed = run(capsys, "nearest", built, "--word", "striped star")
    assert printed.splitlines()[0] == "1.000\tstriped star"
    _, by_text = run(capsys, "nearest", built, "--text", "striped star", "--teacher", "ovshapes")
    assert by_text == printed  # in the file's own templates
    _, printed = run(
        capsys, "nearest", built, "--text", "red heart", "--teacher", "ovshapes", "--limit", 1
    )
    assert printed.splitlines()[0].endswith("outlined heart") and printed.count("\n") == 1


def test_a_synonym_is_found(tmp_path, capsys):
    names = Names(("cup", "boat"), synonyms=(("cup", "mug"), ("boat",)))
    Vocabulary.from_array(np.eye(2, 3), names).save(tmp_path / "v")
    _, printed = run(capsys, "nearest", tmp_path / "v", "--word", "mug")
    assert printed.splitlines()[0] == "1.000\tcup"


BAD = {
    "no teacher": (["build", "--names", "a", "-o", "{tmp}/x"], "no teacher"),
    "no templates": (
        ["build", "--names", "a", "--teacher", "ovshapes", "--templates", "nil", "-o", "{tmp}/x"],
        "single, vild63",
    ),
    "synonyms of a plain list": (
        ["build", "--names", "lvis", "--synonyms", "--teacher", "ovshapes", "-o", "{tmp}/x"],
        "lvis_v1_train.json",
    ),
    "split that does not fit": (
        ["build", "--names", "a", "--split", "b", "--teacher", "ovshapes", "-o", "{tmp}/x"],
        "not in the vocabulary: b",
    ),
    "no embeddings": (
        ["import", "{tmp}/none.npy", "--names", "a", "--teacher", "x", "-o", "{tmp}/x"],
        "cannot read embeddings",
    ),
    "names that occur twice": (
        ["import", "{tmp}/e.npy", "--names", "a, a", "--teacher", "x", "-o", "{tmp}/x"],
        "more than once",
    ),
    "another count": (
        ["import", "{tmp}/e.npy", "--names", "a, b", "--teacher", "x", "-o", "{tmp}/x"],
        "(3, 4) for 2 names",
    ),
    "no vocabulary": (["show", "{tmp}/e.npy"], "damaged"),
    "missing vocabulary": (["diff", "{words}", "{tmp}/none"], "vocab build --names"),
    "word that is none": (["nearest", "{words}", "--word", "cup"], "none of the 4 words"),
    "another teacher": (
        ["nearest", "{words}", "--text", "cup", "--teacher", "ovshapes", "--random-weights"],
        "got teacher ovshapes-rn:random",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name, built, tmp_path, capsys):
    np.save(tmp_path / "e.npy", np.ones((3, 4)))
    arguments, message = BAD[name]
    with pytest.raises(UserError) as error:
        run(capsys, *(part.format(tmp=tmp_path, words=built) for part in arguments))
    assert message in str(error.value)
    assert not (tmp_path / "x").exists()
