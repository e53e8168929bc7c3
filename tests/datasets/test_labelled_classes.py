"""Which classes a data set takes labels of."""

import pytest
import torch

from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.datasets.labelled_classes import labelled_classes
from ovdistill.vocabulary import Vocabulary

VOCABULARY = Vocabulary(
    names=("cat", "Hot_Dog", "emu"),
    embeddings=torch.eye(3),
    is_base=torch.tensor([True, True, False]),
    teacher=TeacherId("some:tag", "abc"),
)


@pytest.mark.parametrize(
    ("labelled", "expected"),
    [
        ("base", (True, True, False)),
        ("all", (True, True, True)),
        ("none", (False, False, False)),
        (["cat"], (True, False, False)),
        (("hot dog",), (False, True, False)),
    ],
)
def test_classes(labelled, expected):
    assert labelled_classes(VOCABULARY, labelled) == expected


@pytest.mark.parametrize("labelled", [["cat", "emu"], ["yak"], [], "cat"])
def test_names_whose_labels_teach_nothing(labelled):
    with pytest.raises(UserError, match="emu|yak|no name|'cat'"):
        labelled_classes(VOCABULARY, labelled)
