"""Advice in words, each piece drawn from a measured figure.

The bounds are rules of thumb between two worlds that were measured: OVShapes, where the recipes'
weights and thresholds were chosen, and photos with a small teacher of 65 classes, where they failed
(docs/regions.md has both). They say where to look first, on validation images.
"""

from __future__ import annotations

from collections.abc import Callable

from ovdistill.evaluation.regions.figures import Accuracy, RegionFigures
from ovdistill.evaluation.regions.geometry import Geometry
from ovdistill.evaluation.regions.percent import percent

FEW_REGIONS = 100  # on labelled objects; shares of fewer say little
WEAK_TEACHER, GOOD_TEACHER = 0.3, 0.7  # agreement with base labels
MANY_NAMES = 300
MOST_COSINE_TO_MEAN = 0.5
LEAST_SEPARATION = 0.7
MOST_ABOVE_THRESHOLD = 0.9
LEAST_NOVEL_SHARE = 0.2
LEAST_ON_OBJECTS = 0.2
LEAST_BASE_RECALL, LEAST_NOVEL_RECALL = 0.8, 0.5
NOTHING = "nothing measured here speaks against the weights and thresholds of the recipes"


def advise(figures: RegionFigures) -> list[str]:
    """Return advice, the most important first; one line that says so if there is none."""
    of_teacher = advise_on_teacher(figures.base_accuracy, figures.names, figures.geometry)
    found = of_teacher + [line for rule in RULES if (line := rule(figures))]
    return found or [NOTHING]


def advise_on_teacher(accuracy: Accuracy, names: int, geometry: Geometry) -> list[str]:
    """Return the advice that needs no proposals: on the teacher and its embeddings.

    Args:
        accuracy: of the teacher on base objects.
        names: W, the class names among which it chooses.
        geometry: of region and text embeddings.
    """
    found = (_few(accuracy), _weight(accuracy, names), _offset(geometry), _gap(geometry))
    return [line for line in found if line]


def _few(accuracy: Accuracy) -> str | None:
    if accuracy.regions >= FEW_REGIONS:
        return None
    return f"only {accuracy.regions} regions lie on labelled objects: the figures below are rough"


def _weight(accuracy: Accuracy, names: int) -> str | None:
    share = accuracy.share
    if share is None or share >= GOOD_TEACHER:
        return None
    agrees = f"the teacher agrees with {percent(share)} of the base labels: "
    if share >= WEAK_TEACHER:
        return agrees + "choose the distillation weight on validation images, from 0.05 to 0.5"
    many = (
        f" (among {names} names top-1 is harder; ViLD's 0.5 was published with LVIS's 1203)"
        if names >= MANY_NAMES
        else ""
    )
    return (
        f"{agrees}try a distillation weight of 0.05 before 0.5{many}. On photos with a teacher "
        "that agreed with 15 %, 0.5 lowered base AP50 from 5.5 to 2.4; only 0.05 raised base and "
        "novel together"
    )


def _offset(geometry: Geometry) -> str | None:
    regions = geometry.regions_to_mean.cosine or 0.0
    names = geometry.names_to_mean.cosine or 0.0
    if max(regions, names) <= MOST_COSINE_TO_MEAN:
        return None
    what, cosine = ("regions", regions) if regions >= names else ("class names", names)
    return (
        f"{what} have cosine {cosine:.2f} to their mean: {percent(cosine**2)} of their squared "
        "length is an offset that all share and that tells nothing apart. Keep the directions in "
        "which regions differ: `ovdistill store centre STORE --vocabulary FILE --variance 0.99 -o "
        "MAP`, then teacher.embedding_map=MAP"
    )


def _gap(geometry: Geometry) -> str | None:
    own, others = geometry.own_name.cosine, geometry.different_classes.cosine
    if own is None or others is None or own >= others:
        return None
    return (
        f"a region is nearer to regions of other classes (cosine {others:.2f}) than to its own "
        f"name ({own:.2f}): a term in which names and regions compete in one softmax works "
        "against the distillation; such a map takes the gap away"
    )


def _separation(figures: RegionFigures) -> str | None:
    value = figures.objectness.separation
    if value is None or value >= LEAST_SEPARATION:
        return None
    return (
        "objectness hardly tells labelled objects from other regions (a labelled region has the "
        f"higher score in {percent(value)} of pairs; chance is 50 %): Vouch, which trusts this "
        "score, has no ground here, unless most of the other regions are objects too"
    )


def _threshold(figures: RegionFigures) -> str | None:
    above, labelled = figures.objectness.above_threshold, figures.objectness.labelled
    if above.share is None or above.share < MOST_ABOVE_THRESHOLD:
        return None
    median = "" if labelled.median is None else f" (that of labelled ones is {labelled.median:.2f})"
    return (
        f"{percent(above.share)} of the regions on no labelled object have an objectness of "
        f"{above.threshold} or more: such a threshold chooses nothing; take a quantile, as the "
        f"median of the regions on labelled objects{median}"
    )


def _unlabelled_objects(figures: RegionFigures) -> str | None:
    above = figures.objectness.above_median
    if above is None or above.novel_share is None or above.novel_share >= LEAST_NOVEL_SHARE:
        return None
    return (
        f"of the {above.regions} regions on no labelled object that score like labelled ones "
        f"(objectness {above.threshold:.2f} or more), {percent(above.novel_share)} are novel "
        "objects of this file (100 % on OVShapes): Vouch would mostly vouch for something else"
    )


def _recall(figures: RegionFigures) -> str | None:
    base, novel = figures.base_recall.at_50, figures.novel_recall.at_50
    parts = []
    if base is not None and base < LEAST_BASE_RECALL:
        parts.append(f"{percent(base)} of the labelled objects of base classes")
    if novel is not None and novel < LEAST_NOVEL_RECALL:
        parts.append(f"{percent(novel)} of the novel objects")
    if not parts:
        return None
    return (
        f"the regions hold only {' and '.join(parts)}; what no region holds, no distillation "
        "teaches: take a better proposal network (proposals=PATH), or more regions an image"
    )


def _on_objects(figures: RegionFigures) -> str | None:
    shares = [share for share in (figures.on_base, figures.on_novel) if share is not None]
    if not shares or sum(shares) >= LEAST_ON_OBJECTS:
        return None
    return (
        f"{percent(sum(shares))} of the regions lie on an object of the file: most of the "
        "distillation is of background. Fewer regions an image, a better proposal network, or "
        "weights by objectness change that"
    )


RULES: tuple[Callable[[RegionFigures], str | None], ...] = (
    *(_recall, _on_objects, _separation, _threshold, _unlabelled_objects),
)
