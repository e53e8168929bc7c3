"""The figures of a teacher as tables of text and lines."""

from __future__ import annotations

from collections.abc import Iterator

from ovdistill.evaluation.accumulate import NO_TRUTH, harmonic_mean
from ovdistill.evaluation.regions.lines import cosine_rows
from ovdistill.evaluation.regions.percent import MISSING, two_digits
from ovdistill.evaluation.teacher.ceiling import Ceiling
from ovdistill.evaluation.teacher.figures import Ceilings, TeacherFigures
from ovdistill.evaluation.teacher.linear_probe import Probe
from ovdistill.evaluation.teacher.retrieval import LEVELS, Retrieval
from ovdistill.evaluation.teacher.shares import Share
from ovdistill.evaluation.text_tables import TextTable

CONFUSIONS = 10  # shown; the JSON has more


def tables(figures: TeacherFigures) -> Iterator[TextTable]:
    """Yield a table for each thing that was measured."""
    yield from _zero_shot(figures)
    yield _confusions(figures)
    if figures.probe is not None:
        yield _probe(figures.probe, figures)
    if figures.retrieval is not None:
        yield _retrieval(figures.retrieval)
    yield _geometry(figures)
    if figures.ceilings is not None:
        yield _ceilings(figures.ceilings)


def closing_lines(figures: TeacherFigures) -> Iterator[str]:
    """Yield what the ceilings mean, and the advice."""
    if figures.ceilings is not None:
        yield ceiling_line(figures.ceilings)
    yield from (f"advice: {line}" for line in figures.advice)


def ceiling_line(ceilings: Ceilings) -> str:
    """Return a sentence that says what a student can hope for."""
    alone, known = ceilings.alone, ceilings.base_known
    if alone.ap50_novel is None:
        return (
            "ceiling: there is no novel object here; on perfect boxes this teacher's names give "
            f"AP50 {_ap(alone.ap50_base)} of base classes, which labels teach anyway"
        )
    line = (
        f"ceiling: on perfect boxes this teacher's names give AP50 {_ap(alone.ap50_novel)} novel, "
        f"{_ap(alone.ap50_base)} base. A student that copies its teacher will hardly have more "
        "novel AP50; what labels of base classes teach can lift it towards "
        f"{_ap(known.ap50_novel)}, not beyond"
    )
    if ceilings.regions is not None:
        found = ceilings.regions.ceiling
        line += (
            f". On the boxes of the store they give {_ap(found.ap50_novel)} novel, "
            f"{_ap(found.ap50_base)} base"
        )
    return line + ". Its AP is lower than its AP50, by boxes that do not fit"


def _zero_shot(figures: TeacherFigures) -> Iterator[TextTable]:
    found = [(own.name, own.zero_shot) for own in figures.crops]
    first = found[0][1]
    counts = (first.everything, first.base, first.novel, first.novel_alone)
    header = [
        f"{title} ({of.top1.count})"
        for title, of in zip(("all", "base", "novel", "novel alone"), counts, strict=True)
    ]
    names = f"{figures.names} names, {figures.novel_names} novel"
    for title, level in (("top-1", "top1"), ("top-5", "top5")):
        yield TextTable(
            f"Zero-shot {title} of {figures.kind} among {names}, % (95 % interval)",
            ["crops", *header],
            [
                [
                    name,
                    *(
                        _share(getattr(group, level))
                        for group in (own.everything, own.base, own.novel, own.novel_alone)
                    ),
                ]
                for name, own in found
            ],
        )
    yield TextTable(
        "Zero-shot top-1, mean of classes, %",
        ["crops", "all", "base", "novel", "novel alone"],
        [
            [
                name,
                *(
                    _part(group.class_mean)
                    for group in (own.everything, own.base, own.novel, own.novel_alone)
                ),
            ]
            for name, own in found
        ],
    )


def _confusions(figures: TeacherFigures) -> TextTable:
    shown = figures.crops[0].zero_shot.confusions[:CONFUSIONS]
    return TextTable(
        "Most frequent confusions",
        ["class", "named", "objects", "% of the class"],
        [[own.name, own.named, str(own.objects), _part(own.share)] for own in shown],
    )


def _probe(probe: Probe, figures: TeacherFigures) -> TextTable:
    named = figures.crops[0].zero_shot
    return TextTable(
        f"Linear probe: {probe.fitted} labelled objects of {probe.classes} classes, measured on "
        "other images, top-1 %",
        ["", "all", "base", "novel"],
        [
            ["linear probe", *map(_share, (probe.everything, probe.base, probe.novel))],
            ["objects", *(str(s.count) for s in (probe.everything, probe.base, probe.novel))],
            [
                "zero-shot, all objects",
                *(_share(group.top1) for group in (named.everything, named.base, named.novel)),
            ],
        ],
    )


def _retrieval(found: Retrieval) -> TextTable:
    return TextTable(
        f"Retrieval, {found.images} images and {found.captions} captions, %",
        ["", *(f"R@{level}" for level in LEVELS)],
        [
            ["image to text", *map(_share, found.image_to_text)],
            ["text to image", *map(_share, found.text_to_image)],
        ],
    )


def _geometry(figures: TeacherFigures) -> TextTable:
    gap = ("gap: mean region to mean class name, length", two_digits(figures.gap), "")
    return TextTable(
        f"Mean cosines of {figures.kind} (regions) and class names",
        ["", "cosine", "pairs"],
        [*cosine_rows(figures.geometry), gap],
    )


def _ceilings(found: Ceilings) -> TextTable:
    rows = [
        ("true boxes, the teacher alone", found.alone),
        ("true boxes, base classes known", found.base_known),
    ]
    if found.regions is not None:
        title = f"regions of the store, {found.regions.images} images"
        rows.append((title, found.regions.ceiling))
    return TextTable(
        f"Ceiling: AP of the teacher's names (temperature {found.temperature:.4g})",
        ["boxes", "AP50 novel", "AP50 base", "HM50", "AP novel", "AP base"],
        [[title, *_ceiling(ceiling)] for title, ceiling in rows],
    )


def _ceiling(found: Ceiling) -> list[str]:
    values = (found.ap50_base, found.ap50_novel)
    both = harmonic_mean(*(NO_TRUTH if value is None else value for value in values))
    mean = None if both == NO_TRUTH else both
    cells = (found.ap50_novel, found.ap50_base, mean, found.ap_novel, found.ap_base)
    return [_ap(cell) for cell in cells]


def _ap(value: float | None) -> str:
    return MISSING if value is None else f"{value:.1f}"


def _part(share: float | None) -> str:
    return MISSING if share is None else f"{100 * share:.1f}"


def _share(found: Share) -> str:
    if found.share is None:
        return MISSING
    return f"{_part(found.share)} ({_part(found.low)} - {_part(found.high)})"
