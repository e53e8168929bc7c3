"""The figures of a store of regions as lines of text: all of them, or in short."""

from __future__ import annotations

from collections.abc import Iterator

from ovdistill.evaluation.regions.advice import NOTHING, advise
from ovdistill.evaluation.regions.figures import RegionFigures
from ovdistill.evaluation.regions.geometry import Geometry
from ovdistill.evaluation.regions.objectness import LEVELS, Above, Scores
from ovdistill.evaluation.regions.percent import MISSING, percent, two_digits

WIDTH = 42  # of the first column


def full_lines(figures: RegionFigures) -> Iterator[str]:
    """Yield a table of all figures, and the advice."""
    yield from _object_lines(figures)
    yield from _objectness_lines(figures)
    yield from _cosine_lines(figures)
    yield ""
    yield "advice"
    yield from (f"- {line}" for line in advise(figures))


def short_lines(figures: RegionFigures) -> Iterator[str]:
    """Yield the figures that matter most for a training with base labels, and the advice."""
    recall, accuracy = figures.base_recall, figures.base_accuracy
    scores, cosines = figures.objectness, figures.geometry
    yield (
        f"{figures.images} images, {figures.regions} regions: {percent(figures.on_base)} lie on a "
        f"labelled object; they hold {percent(recall.at_50)} of these {recall.objects} objects at "
        f"IoU 0.5, {percent(recall.at_75)} at 0.75"
    )
    yield (
        f"the teacher names {percent(accuracy.share)} of the {accuracy.regions} regions on "
        f"labelled objects as labelled (among {figures.names} names)"
    )
    yield (
        f"objectness: median {two_digits(scores.labelled.median)} on labelled objects, "
        f"{two_digits(scores.unlabelled.median)} elsewhere; the labelled is higher in "
        f"{percent(scores.separation)} of pairs"
    )
    yield (
        f"cosine of a region to its own name {two_digits(cosines.own_name.cosine)}, to others "
        f"{two_digits(cosines.other_names.cosine)}, to regions of other classes "
        f"{two_digits(cosines.different_classes.cosine)}, to the mean of all "
        f"{two_digits(cosines.regions_to_mean.cosine)}"
    )
    yield from (f"advice: {line}" for line in advise(figures) if line != NOTHING)


def _object_lines(figures: RegionFigures) -> Iterator[str]:
    base, novel = figures.base_recall, figures.novel_recall
    yield _row(f"{figures.names} class names", "base", "novel")
    yield _row("objects", str(base.objects), str(novel.objects))
    yield _row("  held by a region, IoU >= 0.5", percent(base.at_50), percent(novel.at_50))
    yield _row("  held by a region, IoU >= 0.75", percent(base.at_75), percent(novel.at_75))
    right, novel_right = figures.base_accuracy, figures.novel_accuracy
    yield _row("regions on an object", str(right.regions), str(novel_right.regions))
    yield _row("  share of all regions", percent(figures.on_base), percent(figures.on_novel))
    yield _row(
        "  named by the teacher as labelled", percent(right.share), percent(novel_right.share)
    )


def _objectness_lines(figures: RegionFigures) -> Iterator[str]:
    scores = figures.objectness
    yield ""
    yield _row("objectness, quantiles", *(f"{level:.0%}" for level in LEVELS), "regions")
    yield _scores("  on labelled objects of base classes", scores.labelled)
    yield _scores("  on none of them", scores.unlabelled)
    if figures.novel_recall.objects:
        yield _scores("    of these, on novel objects", scores.novel)
        yield _scores("    of these, on no object", scores.rest)
    yield _row("a labelled one is above an unlabelled one", percent(scores.separation), "of pairs")
    if figures.novel_recall.objects:
        yield _row(
            "a novel object is above no object", percent(scores.novel_separation), "of pairs"
        )
    for above in (scores.above_threshold, scores.above_median):
        if above is not None:
            yield _above(above)


def _cosine_lines(figures: RegionFigures) -> Iterator[str]:
    yield ""
    yield _row("mean cosine", "", "pairs")
    yield from (_row(f"  {title}", *cells) for title, *cells in cosine_rows(figures.geometry))


def cosine_rows(geometry: Geometry) -> list[tuple[str, str, str]]:
    """Return what each mean cosine is of, its value, and the number of pairs."""
    means = {
        "region and its own class name": geometry.own_name,
        "region and other class names": geometry.other_names,
        "regions of different classes": geometry.different_classes,
        "regions of the same class": geometry.same_class,
        "class names": geometry.between_names,
        "all regions and their mean": geometry.regions_to_mean,
        "class names and their mean": geometry.names_to_mean,
    }
    return [(title, two_digits(mean.cosine), str(mean.pairs)) for title, mean in means.items()]


def _scores(title: str, scores: Scores) -> str:
    values = [two_digits(value) for value in scores.quantiles] or [MISSING] * len(LEVELS)
    return _row(title, *values, str(scores.regions))


def _above(above: Above) -> str:
    novel = MISSING if above.novel_share is None else percent(above.novel_share)
    return (
        f"unlabelled, {above.threshold:.2f} or more: {above.regions} regions "
        f"({percent(above.share)} of the unlabelled); novel objects among them: {novel}"
    )


def _row(title: str, *values: str) -> str:
    return f"{title:{WIDTH}}" + "".join(f"{value:>10}" for value in values)
