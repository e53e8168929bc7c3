"""Each piece of advice comes from its figure, and from nothing else."""

from dataclasses import replace

import pytest

from ovdistill.evaluation.regions.advice import NOTHING, advise
from ovdistill.evaluation.regions.figures import Accuracy, Recall, RegionFigures
from ovdistill.evaluation.regions.geometry import Geometry, MeanCosine
from ovdistill.evaluation.regions.lines import full_lines, short_lines
from ovdistill.evaluation.regions.objectness import Above, Objectness, Scores

GOOD = RegionFigures(
    images=500,
    regions=5000,
    names=65,
    base_recall=Recall(1500, 0.99, 0.9),
    novel_recall=Recall(500, 0.98, 0.8),
    on_base=0.38,
    on_novel=0.14,
    base_accuracy=Accuracy(1900, 0.9),
    novel_accuracy=Accuracy(700, 0.85),
    objectness=Objectness(
        labelled=Scores(1900, (0.1, 0.9, 0.95, 0.99, 1.0)),
        unlabelled=Scores(3100, (0.0, 0.0, 0.01, 0.1, 0.9)),
        novel=Scores(700, (0.1, 0.2, 0.9, 0.99, 1.0)),
        rest=Scores(2400, (0.0, 0.0, 0.0, 0.04, 0.2)),
        separation=0.84,
        novel_separation=0.87,
        above_threshold=Above(0.5, 540, 0.18, 0.9),
        above_median=Above(0.95, 200, 0.06, 0.99),
    ),
    geometry=Geometry(
        own_name=MeanCosine(0.78, 2600),
        other_names=MeanCosine(0.1, 166400),
        different_classes=MeanCosine(0.07, 3000000),
        same_class=MeanCosine(0.7, 50000),
        between_names=MeanCosine(0.19, 2080),
        regions_to_mean=MeanCosine(0.4, 5000),
        names_to_mean=MeanCosine(0.45, 65),
    ),
)
SCORES, COSINES = GOOD.objectness, GOOD.geometry


def test_nothing_to_say():
    assert advise(GOOD) == [NOTHING]
    assert not any("advice" in line for line in short_lines(GOOD))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            dict(base_accuracy=Accuracy(1900, 0.15)),
            ("15.0 % of the base labels", "0.05 before 0.5"),
        ),
        (dict(base_accuracy=Accuracy(1900, 0.5)), ("from 0.05 to 0.5",)),
        (dict(base_accuracy=Accuracy(99, 0.9)), ("only 99 regions",)),
        (
            dict(geometry=replace(COSINES, regions_to_mean=MeanCosine(0.67, 5000))),
            ("cosine 0.67", "44.9 % of their squared length", "Centring"),
        ),
        (dict(geometry=replace(COSINES, names_to_mean=MeanCosine(0.8, 65))), ("class names",)),
        (
            dict(geometry=replace(COSINES, different_classes=MeanCosine(0.8, 9))),
            ("own name (0.78)", "one softmax"),
        ),
        (dict(objectness=replace(SCORES, separation=0.56)), ("56.0 % of pairs", "Vouch")),
        (
            dict(objectness=replace(SCORES, above_threshold=Above(0.5, 3100, 1.0, 0.9))),
            ("100.0 %", "quantile", "0.95"),
        ),
        (
            dict(objectness=replace(SCORES, above_median=Above(0.95, 200, 0.06, 0.029))),
            ("2.9 % are novel",),
        ),
        (dict(novel_recall=Recall(500, 0.066, 0.01)), ("6.6 % of the novel objects",)),
        (dict(base_recall=Recall(1500, 0.6, 0.3)), ("60.0 % of the labelled objects",)),
        (dict(on_base=0.05, on_novel=None), ("5.0 % of the regions",)),
    ],
)
def test_one_figure_one_piece_of_advice(change, words):
    (line,) = advise(replace(GOOD, **change))
    assert all(word in line for word in words), line


def test_many_names_make_top_1_harder():
    weak = replace(GOOD, base_accuracy=Accuracy(1900, 0.2), names=1203)
    assert "among 1203 names" in advise(weak)[0]


def test_what_was_not_measured_is_a_dash():
    bare = replace(
        GOOD,
        novel_recall=Recall(0, None, None),
        on_novel=None,
        base_accuracy=Accuracy(1900, None),
        geometry=Geometry(*[MeanCosine(None, 0)] * 7),
        objectness=replace(SCORES, novel=Scores(0, ()), rest=Scores(0, ()), above_median=None),
    )
    assert advise(bare) == [NOTHING]
    lines = [*full_lines(bare), *short_lines(bare)]
    assert not any("None" in line for line in lines)
    assert not any("novel object" in line.split(":")[0] for line in lines)


def test_lines_have_every_figure():
    text = "\n".join(full_lines(GOOD))
    for shown in ("99.0 %", "80.0 %", "85.0 %", "3000000", "0.45", "84.0 %", "87.0 %", "540"):
        assert shown in text
    assert "lie on a labelled object" in next(short_lines(GOOD))
