"""What is said of a teacher comes from its figures, and every figure is shown."""

from dataclasses import replace

import pytest
import torch

from ovdistill.evaluation.regions.advice import NOTHING
from ovdistill.evaluation.regions.geometry import Geometry, MeanCosine
from ovdistill.evaluation.teacher.advice import advise, advise_on_images
from ovdistill.evaluation.teacher.ceiling import Ceiling
from ovdistill.evaluation.teacher.figures import (
    Ceilings,
    CropFigures,
    RegionCeiling,
    TeacherFigures,
)
from ovdistill.evaluation.teacher.linear_probe import Probe
from ovdistill.evaluation.teacher.retrieval import Retrieval
from ovdistill.evaluation.teacher.shares import Share, share_of
from ovdistill.evaluation.teacher.tables import ceiling_line, closing_lines, tables
from ovdistill.evaluation.teacher.zero_shot import Confusion, TopShares, ZeroShot

GEOMETRY = Geometry(
    own_name=MeanCosine(0.78, 1000),
    other_names=MeanCosine(0.1, 64000),
    different_classes=MeanCosine(0.07, 400000),
    same_class=MeanCosine(0.7, 50000),
    between_names=MeanCosine(0.19, 2080),
    regions_to_mean=MeanCosine(0.4, 1000),
    names_to_mean=MeanCosine(0.45, 65),
)
NONE = Share(0, None, None, None)


def share(percent: int, count: int = 1000) -> Share:
    return share_of(torch.arange(count) < percent * count // 100)


def top(percent: int, count: int = 1000) -> TopShares:
    return TopShares(share(percent, count), share(99, count), percent / 100)


def crops(novel: int, novel_alone: int, name: str = "square:1+1.5") -> CropFigures:
    shape, _, scales = name.partition(":")
    policy = dict(shape=shape, scales=[float(scale) for scale in scales.split("+")])
    confusions = (Confusion("cup", "mug", 12, 0.5),)
    groups = (top(90), top(91), top(novel), top(novel_alone))
    return CropFigures(name, policy, ZeroShot(*groups, (), confusions))


PROBE = Probe(800, 65, 0.01, share(92), share(93), share(90), 0)
CEILINGS = Ceilings(
    temperature=0.01,
    alone=Ceiling(61.0, 62.5, 63.5, 64.5),
    base_known=Ceiling(99.5, 71.5, 99.9, 73.5),
    regions=RegionCeiling(77, Ceiling(41.5, 42.5, 43.5, 44.5)),
)
FIGURES = TeacherFigures(
    images=250,
    objects=1000,
    names=65,
    novel_names=15,
    crops=(crops(87, 90), crops(80, 90, "clip:1")),
    geometry=GEOMETRY,
    gap=0.31,
    ceilings=CEILINGS,
    probe=PROBE,
    retrieval=Retrieval(500, 2500, (share(31), share(58), share(70)), (share(29), NONE, NONE)),
    advice=("do this",),
)


def test_nothing_to_say():
    assert advise(FIGURES.crops, 65, GEOMETRY, PROBE) == (NOTHING,)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(crops=[crops(40, 43), crops(60, 62, "clip:1+1.5")]), ("60.0 %", "clip", "1 1.5")),
        (dict(crops=[crops(40, 90)]), ("90.0 %", "40.0 %", "base names win")),
        (dict(probe=replace(PROBE, everything=share(97))), ("97.0 %", "90.0 %", "vild63")),
        (
            dict(geometry=replace(GEOMETRY, names_to_mean=MeanCosine(0.86, 65))),
            ("class names have cosine 0.86",),
        ),
    ],
)
def test_one_figure_one_piece_of_advice(change, words):
    found = dict(crops=FIGURES.crops, names=65, geometry=GEOMETRY, probe=PROBE) | change
    (line,) = advise(**found)
    assert all(word in line for word in words), line


def test_differences_of_chance_are_none():
    few = Probe(80, 65, 0.01, share(97, 30), NONE, NONE, 0)
    assert advise(FIGURES.crops, 65, GEOMETRY, few) == (NOTHING,)


def test_without_novel_objects_crops_are_judged_by_all():
    bare = [replace(own, zero_shot=replace(own.zero_shot, novel=TopShares(NONE, NONE, None))) for
            own in (crops(0, 0), crops(0, 0, "clip:1"))]  # fmt: skip
    better = replace(bare[1].zero_shot, everything=top(98))
    (line,) = advise([bare[0], replace(bare[1], zero_shot=better)], 65, GEOMETRY, None)
    assert "of all objects" in line


def test_tables_have_every_figure():
    text = "\n".join(table.markdown() for table in tables(FIGURES))
    for shown in (
        *("square:1+1.5", "clip:1", "novel (1000)", "87.0 (84.8 - 88.9)", "cup", "mug", "12"),
        *("R@5", "58.0 (", "92.0 (", "0.31", "2500 captions", "77 images"),
        *("64.5", "63.5", "73.5", "42.5", "64.0"),  # the last: the harmonic mean of 63.5 and 64.5
    ):
        assert shown in text, shown
    assert "None" not in text
    assert [*closing_lines(FIGURES)][1:] == ["advice: do this"]


def test_what_was_not_measured_has_no_table():
    without = replace(CEILINGS, regions=None)
    bare = replace(FIGURES, ceilings=without, probe=None, retrieval=None, gap=None)
    text = "\n".join(table.markdown() for table in tables(bare))
    assert not any(word in text for word in ("probe", "Retrieval", "store", "None"))


def test_the_ceiling_in_words():
    line = ceiling_line(CEILINGS)
    assert all(figure in line for figure in ("64.5 novel", "63.5 base", "73.5", "44.5 novel"))
    assert "store" not in ceiling_line(replace(CEILINGS, regions=None))
    no_novel = ceiling_line(replace(CEILINGS, alone=Ceiling(61.0, None, 63.5, None)))
    assert "no novel object" in no_novel and "63.5" in no_novel


def test_whole_images_have_no_ceiling():
    whole = replace(FIGURES, ceilings=None, advice=())
    text = "\n".join(table.markdown() for table in tables(whole))
    assert "of whole images among 65 names" in text and "Linear probe" in text
    assert not any(word in text for word in ("eiling", "true boxes", "AP50"))
    assert [*closing_lines(whole)] == []


def test_advice_on_whole_images_is_on_texts_alone():
    zero_shot = FIGURES.crops[0].zero_shot
    assert advise_on_images(zero_shot, PROBE) == advise_on_images(zero_shot, None) == ()
    (line,) = advise_on_images(zero_shot, replace(PROBE, everything=share(97)))
    assert "vild63" in line
