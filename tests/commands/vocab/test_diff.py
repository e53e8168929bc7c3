"""`ovdistill vocab diff`: equal files and every kind of difference."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.vocabulary import Names, Vocabulary


def test_equal_files(built, run, tmp_path):
    vocabulary = Vocabulary.load(built)
    almost = torch.nn.functional.normalize(vocabulary.embeddings + 1e-6, dim=1)
    replace(vocabulary, embeddings=almost).save(tmp_path / "b")
    code, printed = run("diff", built, tmp_path / "b")
    assert code == 0 and printed.startswith("equal: 4 names of teacher ovshapes-rn")


def test_differences(run, tmp_path):
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
    code, printed = run("diff", tmp_path / "a", tmp_path / "b")
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
    code, printed = run("diff", tmp_path / "a", tmp_path / "c")
    assert code == 1
    assert printed == "width: 3 -> 4\nhas frequency: True -> False\n"


def test_names_are_only_text_for_a_terminal(run, tmp_path):
    names = ("a\x1b[31m", "b\x07", "c")
    Vocabulary.from_array(np.eye(3), Names(names), "x").save(tmp_path / "a")
    Vocabulary.from_array(np.eye(3), Names((*names[1::-1], "\x1b]0;d")), "x").save(tmp_path / "b")
    code, printed = run("diff", tmp_path / "a", tmp_path / "b")
    assert code == 1 and "\\x1b]0;d" in printed
    assert not {"\x1b", "\x07"} & {*printed}


def test_bad_input(built, run, tmp_path):
    with pytest.raises(UserError, match="vocab build --names"):
        run("diff", built, tmp_path / "none")
