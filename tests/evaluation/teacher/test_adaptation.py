"""What an adaptation changed, by hand: four names in a plane, the last two novel."""

import pytest
import torch
from torch.nn.functional import normalize

from ovdistill.evaluation.teacher.adaptation import (
    AccuracyChange,
    accuracy_of,
    change_lines,
    change_table,
)
from ovdistill.evaluation.teacher.zero_shot import ZeroShotCounter

NAMES = ("ant", "bee", "cat", "dog")
IS_BASE = torch.tensor([True, True, False, False])
TEXTS = torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0, -1]])


def measured(labels, seen):
    counter = ZeroShotCounter(TEXTS, IS_BASE)
    if labels:
        counter.add(normalize(torch.tensor(seen), dim=1), torch.tensor(labels))
    return counter.result(NAMES)


LABELS = [0, 0, 1, 2, 3]
RIGHT = [[1.0, 0], [1, 0], [0, 1], [-1, 0], [0, -1]]
# one ant is named bee; cat and dog are named as base, but told apart among novel names
TO_BASE = [[1.0, 0], [0.1, 1], [0, 1], [-0.5, 0.9], [0.9, -0.5]]
# cat and dog are taken for each other
MIXED_UP = [[1.0, 0], [1, 0], [0, 1], [0.1, -1], [-1, 0.1]]


def test_figures():
    found = accuracy_of(measured(LABELS, TO_BASE))
    assert found.base == pytest.approx(200 / 3) and found.novel == 0
    assert (found.harmonic, found.novel_alone) == (0, 100)
    none = accuracy_of(measured([0], [[1.0, 0]]))
    assert (none.base, none.novel, none.harmonic, none.novel_alone) == (100, None, None, None)


def test_the_table_has_before_after_and_change():
    change = AccuracyChange(measured(LABELS, RIGHT), measured(LABELS, TO_BASE))
    table = change_table(change)
    assert [row[0] for row in table.rows] == ["before", "after", "change"]
    assert table.rows[1][1:] == ["66.7", "0.0", "0.0", "100.0"]
    assert table.rows[2][1:] == ["-33.3", "-100.0", "-100.0", "+0.0"]
    assert "3 base and 2 novel" in table.title


@pytest.mark.parametrize(
    ("after", "shown", "hidden"),
    [
        (RIGHT, "nothing that these objects show", "most of all"),
        (TO_BASE, "now take base names", "is lost"),
        (MIXED_UP, "what tells them apart is lost", "take base names"),
    ],
)
def test_a_sentence_says_what_is_forgotten(after, shown, hidden):
    change = AccuracyChange(measured(LABELS, RIGHT), measured(LABELS, after))
    text = "\n".join(change_lines(change))
    assert shown in text and hidden not in text
    if after is not RIGHT:
        assert "cat 100 to 0 %" in text and "novel names fall from 100.0 to 0.0 %" in text


def test_what_is_learned_and_what_cannot_be_measured():
    change = AccuracyChange(measured(LABELS, MIXED_UP), measured(LABELS, RIGHT))
    assert "novel names rise from 0.0 to 100.0 %" in [*change_lines(change)]
    alone = measured([0], [[1.0, 0]])
    assert [*change_lines(AccuracyChange(alone, alone))] == [
        "base names stay at 100.0 %",
        "novel names: no object to measure",
    ]
