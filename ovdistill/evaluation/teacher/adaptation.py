"""What an adaptation changed: zero-shot accuracy before and after, on base and on novel names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass

from ovdistill.evaluation.accumulate import harmonic_mean
from ovdistill.evaluation.regions.percent import MISSING
from ovdistill.evaluation.teacher.zero_shot import ZeroShot
from ovdistill.evaluation.text_tables import TextTable

MOST_CLASSES = 5  # that lost the most, in the sentence
NOISE = 0.5  # points; less is called unchanged


@dataclass(frozen=True)
class AccuracyChange:
    """Zero-shot accuracy on the same objects before and after an adaptation.

    Attributes:
        before: of the teacher.
        after: of the adapted teacher, with the same names.
    """

    before: ZeroShot
    after: ZeroShot


@dataclass(frozen=True)
class Accuracy:
    """Top-1 accuracy in percent; None without an object.

    Attributes:
        base: of base objects among all names.
        novel: of novel objects among all names.
        harmonic: harmonic mean of the two.
        novel_alone: of novel objects among the novel names.
    """

    base: float | None
    novel: float | None
    harmonic: float | None
    novel_alone: float | None


def accuracy_of(found: ZeroShot) -> Accuracy:
    """Return the four figures that say what a teacher knows."""
    base, novel, alone = (
        None if group.top1.share is None else 100 * group.top1.share
        for group in (found.base, found.novel, found.novel_alone)
    )
    both = None if base is None or novel is None else harmonic_mean(base, novel)
    return Accuracy(base, novel, both, alone)


def change_table(change: AccuracyChange) -> TextTable:
    """Return the table of top-1 accuracy before and after."""
    before, after = accuracy_of(change.before), accuracy_of(change.after)
    counts = (change.before.base.top1.count, change.before.novel.top1.count)
    columns = [*zip(_values(before), _values(after), strict=True)]
    return TextTable(
        f"Top-1 of held-out objects, {counts[0]} base and {counts[1]} novel, %",
        ["", "base", "novel", "harmonic mean", "novel alone"],
        [
            ["before", *(_percent(first) for first, _ in columns)],
            ["after", *(_percent(second) for _, second in columns)],
            ["change", *(_difference(first, second) for first, second in columns)],
        ],
    )


def variant_table(variants: Mapping[str, Accuracy]) -> TextTable:
    """Return the table of other results of the same learning, by title."""
    return TextTable(
        "Other results of the same learning, top-1, %",
        ["", "base", "novel", "harmonic mean", "novel alone"],
        [[title, *map(_percent, astuple(found))] for title, found in variants.items()],
    )


def change_lines(change: AccuracyChange) -> Iterator[str]:
    """Yield sentences that say what was learned and what was forgotten."""
    before, after = accuracy_of(change.before), accuracy_of(change.after)
    yield _sentence("base names", before.base, after.base)
    yield _sentence("novel names", before.novel, after.novel)
    if before.novel is None or after.novel is None:
        return
    lost = before.novel - after.novel
    if lost < NOISE:
        yield "forgotten: nothing that these objects show"
        return
    assert before.novel_alone is not None and after.novel_alone is not None  # as many objects
    alone = before.novel_alone - after.novel_alone
    if alone < lost / 2:
        yield (
            f"forgotten: novel objects lost {lost:.1f} points, but only {max(alone, 0):.1f} among "
            "novel names alone: they are still told apart, and now take base names"
        )
    else:
        yield (
            f"forgotten: novel objects lost {lost:.1f} points, and {alone:.1f} among novel names "
            "alone: what tells them apart is lost"
        )
    if worst := _most_lost(change):
        yield f"most of all: {', '.join(worst)}"


def _sentence(what: str, before: float | None, after: float | None) -> str:
    if before is None or after is None:
        return f"{what}: no object to measure"
    if abs(after - before) < NOISE:
        return f"{what} stay at {after:.1f} %"
    verb = "rise" if after > before else "fall"
    return f"{what} {verb} from {before:.1f} to {after:.1f} %"


def _most_lost(change: AccuracyChange) -> list[str]:
    """Return the novel classes that lost the most, with their figures."""
    pairs = zip(change.before.classes, change.after.classes, strict=True)
    lost = [
        (old.top1 - new.top1, f"{old.name} {100 * old.top1:.0f} to {100 * new.top1:.0f} %")
        for old, new in pairs
        if old.group == "novel" and old.top1 is not None and new.top1 is not None
    ]
    ordered = sorted((entry for entry in lost if entry[0] > 0), key=lambda entry: -entry[0])
    return [text for _, text in ordered[:MOST_CLASSES]]


def _values(found: Accuracy) -> tuple[float | None, ...]:
    return found.base, found.novel, found.harmonic, found.novel_alone


def _percent(value: float | None) -> str:
    return MISSING if value is None else f"{value:.1f}"


def _difference(before: float | None, after: float | None) -> str:
    return MISSING if before is None or after is None else f"{after - before:+.1f}"
