"""Takes a test run apart: reads its files, matches its detections, and measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import Annotations, read_annotations
from ovdistill.datasets.annotations.ids import image_number
from ovdistill.evaluation.accumulate import (
    AREA_ALL,
    IOU_50,
    IOU_75,
    class_averages,
    mean_percent,
)
from ovdistill.evaluation.analysis.errors import Errors, count_errors, error_costs, find_errors
from ovdistill.evaluation.analysis.matching import (
    Matching,
    find_pairs,
    match_detections,
)
from ovdistill.evaluation.analysis.naming import (
    Naming,
    confusion_matrix,
    confusions,
    name_objects,
    outcome_shares,
)
from ovdistill.evaluation.analysis.report import (
    GROUPS,
    ClassRow,
    Confusions,
    ReliabilityBins,
    RunReport,
)
from ovdistill.evaluation.analysis.run_files import RunFiles, dump_command
from ovdistill.evaluation.analysis.scene import Found, Scene, make_found, make_scene
from ovdistill.evaluation.analysis.training_log import read_training_curves
from ovdistill.evaluation.backends import Curves, build_evaluator
from ovdistill.evaluation.recall import match, recalls
from ovdistill.evaluation.records import best_of_images
from ovdistill.evaluation.reliability import measure_reliability

SAME_AP = 0.05  # points: the detections of a run give its AP again
LOWEST = 0.01  # score of the detections whose reliability is measured, as in `calibrate`
NUMBERS = (100, 300)  # best detections of an image, at which their own recall is measured


@dataclass(frozen=True, eq=False)
class Analysis:
    """A test run taken apart.

    Attributes:
        files: what the run has left.
        annotations: its annotation file.
        scene: the objects of its images.
        found: its detections that count.
        matching: which of them are right, at an IoU of 0.5.
        errors: what is wrong with the others.
        naming: what the objects are called.
        report: the figures.
    """

    files: RunFiles
    annotations: Annotations
    scene: Scene
    found: Found
    matching: Matching
    errors: Errors
    naming: Naming
    report: RunReport


def analyse_run(files: RunFiles, name: str) -> Analysis:
    """Take a test run apart.

    Args:
        files: of the run.
        name: short, to tell it from others.

    Raises:
        UserError: no annotation file, or detections of other images, classes or weights than the
            run's.
    """
    annotations = read_annotations(files.origin["ann_file"], allow_outside_images=True, warn=False)
    scene = _scene(files, annotations)
    files, left_out = _evaluated(files, scene)
    lvis = files.origin["protocol"] == "lvis"
    found = make_found(files.boxes, scene, files.origin["max_dets"], per_class=not lvis)
    pairs = find_pairs(found, scene.truth)
    matching = match_detections(found, scene, pairs)
    errors = find_errors(found, scene, pairs, matching)
    naming = name_objects(found, scene, pairs)
    curves = _curves(files, annotations, scene)
    matrix = confusion_matrix(naming, scene)
    names = [row["name"] for row in files.classes]
    pairs_of_names = confusions(matrix)
    report = RunReport(
        name=name,
        folder=str(files.folder),
        images=len(scene.image_ids),
        detections=len(found),
        left_out=left_out,
        metrics=files.metrics,
        classes=_class_rows(files, scene, curves.get("bbox") or curves["segm"], pairs_of_names),
        curves={
            f"{metric}/{iou}": _group_curves(found_curves, position, scene.is_base)
            for metric, found_curves in curves.items()
            for iou, position in ((50, IOU_50), (75, IOU_75))
        },
        errors=error_costs(found, scene, matching, errors),
        error_counts=count_errors(found, scene, errors),
        naming=outcome_shares(naming, scene),
        confusions=Confusions(
            pairs=[(names[true], names[wrong], count) for true, wrong, count in pairs_of_names],
            matrix=[_sparse(row) for row in matrix],
        ),
        reliability=_reliability(found, scene, matching),
        detection_recall=_detection_recall(files, found, scene),
        training=_training(files),
        origin=files.origin,
    )
    return Analysis(files, annotations, scene, found, matching, errors, naming, report)


def check_comparable(reports: Sequence[RunReport]) -> None:
    """Raise UserError unless all runs have the same classes in the same split."""
    first = [(row.name, row.group) for row in reports[0].classes]
    for report in reports[1:]:
        classes = [(row.name, row.group) for row in report.classes]
        if classes != first:
            differing = set(first).symmetric_difference(classes)
            shown = " ".join(sorted(differing)[0]) if differing else "their order"
            raise UserError(
                f"{report.folder} and {reports[0].folder} were tested with different classes (the "
                f"first difference: {shown}); expected the same class names and the same base "
                "classes. Report each alone."
            )


def _scene(files: RunFiles, annotations: Annotations) -> Scene:
    """Return what the tested images show; check that the detections are of them and of the file."""
    tested = files.origin.get("image_ids")
    known = annotations.original_image_ids
    ids = list(known) if tested is None else [image_number(value) for value in tested]
    cat_ids = [image_number(row["id"]) for row in files.classes]
    allowed = {"image": (ids, known), "category": (cat_ids, annotations.original_category_ids)}
    for kind, (wanted, there) in allowed.items():
        if unknown := set(wanted) - set(there):
            raise UserError(
                f"{kind} {min(unknown)} of the run {files.folder} is not in "
                f"{annotations.path}; expected the annotation file that it was tested with"
            )
    for records in files.detections.values():
        _check_ids(files, "image", records.image_ids, ids)
        _check_ids(files, "category", records.category_ids, [*annotations.original_category_ids])
    is_base = [row["group"] == "base" for row in files.classes]
    federated = files.origin["protocol"] == "lvis"
    return make_scene(annotations, ids, cat_ids, is_base, federated=federated)


def _check_ids(files: RunFiles, kind: str, found: np.ndarray, expected: list[int]) -> None:
    if len(unknown := np.setdiff1d(found, expected)):
        raise UserError(
            f"the detections in {files.folder} have {kind} {unknown[0]}, which was not tested. "
            f"Test again: {dump_command(files.origin, files.folder)}"
        )


def _evaluated(files: RunFiles, scene: Scene) -> tuple[RunFiles, int]:
    """Return a run without the detections of categories that were not evaluated, and their number.

    Results of any system may have them. As in the evaluation, those of the LVIS protocol take
    their places among the best of an image before they are left out.
    """
    kept, left_out = {}, 0
    for metric, records in files.detections.items():
        if files.origin["protocol"] == "lvis":
            records = best_of_images(records, files.origin["max_dets"])
        rows = np.flatnonzero(np.isin(records.category_ids, scene.cat_ids))
        left_out = max(left_out, len(records) - len(rows))
        kept[metric] = records.take(rows)
    return (replace(files, detections=kept), left_out) if left_out else (files, 0)


def _curves(files: RunFiles, annotations: Annotations, scene: Scene) -> dict[str, Curves]:
    """Return precision and recall by metric, and check that they are those of the run."""
    curves = {}
    for metric, records in files.detections.items():
        evaluator = build_evaluator(
            "hotcoco",
            annotations,
            files.origin["protocol"],
            files.origin["max_dets"],
            masks_only=metric == "segm" and annotations.masks < len(annotations.annotations),
        )
        ids = scene.image_ids.tolist(), scene.cat_ids.tolist()
        curves[metric] = evaluator.curves(records, metric, *ids)
        again = mean_percent(curves[metric].precision[..., AREA_ALL])
        before = files.metrics[f"{metric}/AP"]
        if abs(again - before) > SAME_AP:
            raise UserError(
                f"the detections in {files.folder} have {metric} AP {again:.2f}, its metrics.json "
                f"says {before:.2f}; they are of different tests, or {annotations.path} has "
                f"changed. Test again: {dump_command(files.origin, files.folder)}"
            )
    return curves


def _group_curves(curves: Curves, position: int, is_base: np.ndarray) -> dict[str, list[float]]:
    """Return the mean precision over the classes of each group, in percent."""
    precision = curves.precision[position, :, :, AREA_ALL]  # (Q, K)
    there = precision[0] > -1
    groups = {"all": there, "base": there & is_base, "novel": there & ~is_base}
    return {
        group: (100 * precision[:, chosen].mean(axis=1)).tolist()
        for group, chosen in groups.items()
        if chosen.any()
    }


def _class_rows(
    files: RunFiles, scene: Scene, curves: Curves, pairs: Sequence[tuple[int, int, int]]
) -> list[ClassRow]:
    """Return the table of classes; ``pairs`` are confusions, the most frequent first."""
    names = [row["name"] for row in files.classes]
    worst: dict[int, tuple[int, int]] = {}
    for true, wrong, count in pairs:
        worst.setdefault(true, (wrong, count))
    ap, ap50 = class_averages(curves)
    recall = curves.recall[IOU_50, :, AREA_ALL]
    rows = []
    for k, row in enumerate(files.classes):
        wrong, count = worst.get(k, (-1, 0))
        rows.append(
            ClassRow(
                name=names[k],
                group=row["group"],
                frequency=row.get("frequency", ""),
                objects=int(scene.positives[k]),
                ap=ap[k],
                ap50=ap50[k],
                mask_ap=row["segm"]["AP"] if "segm" in row else None,
                recall=100 * float(recall[k]) if recall[k] >= 0 else -1.0,
                confused_with=names[wrong] if count else "",
                confused=count,
            )
        )
    return rows


def _reliability(found: Found, scene: Scene, matching: Matching) -> dict[str, ReliabilityBins]:
    """Return the reliability of the scores, by the split of the name that a detection has.

    It is empty where they cannot be probabilities: other systems may have any scores.
    """
    if len(found) and not 0 <= found.scores.min() <= found.scores.max() <= 1:
        return {}
    counted = ~matching.ignored & (found.scores >= LOWEST)
    base = scene.is_base[found.labels]
    result = {}
    for group, chosen in zip(GROUPS, (counted, counted & base, counted & ~base), strict=True):
        bins = measure_reliability(found.scores[chosen], matching.right[chosen])
        result[group] = ReliabilityBins(
            bins.counts.tolist(), bins.scores.tolist(), bins.shares.tolist(), bins.error
        )
    return result


def _detection_recall(files: RunFiles, found: Found, scene: Scene) -> dict[str, float]:
    """Return the recall of boxes whatever their names, of a detector without an RPN."""
    if files.origin.get("proposals_per_image") is not None:
        return {}
    truth, flat = scene.truth, {}
    base = scene.is_base[truth.labels]
    counted = np.flatnonzero(~truth.crowd)
    counted = counted[np.argsort(truth.images[counted], kind="stable")]
    edges = np.flatnonzero(np.diff(truth.images[counted])) + 1
    by_image = np.split(counted, edges) if len(counted) else []
    most = files.origin["max_dets"]
    if files.origin["protocol"] == "coco":  # of an image and class: an image may have any number
        most = max(NUMBERS)
    numbers = [number for number in NUMBERS if number <= most]
    for number in numbers or [most]:
        matched = np.zeros(len(truth))
        for objects in by_image:
            image = truth.images[objects[0]]
            low, high = np.searchsorted(found.images, [image, image + 1])
            boxes = found.boxes[low : min(high, low + number)]
            own = torch.from_numpy(truth.boxes[objects]), torch.from_numpy(boxes)
            matched[objects] = match(*own)
        for group, chosen in (("base", base), ("novel", ~base)):
            flat[f"AR{number}_{group}"] = recalls(matched[chosen & ~truth.crowd])[0]
    return flat


def _training(files: RunFiles) -> dict[str, Any] | None:
    """Return the curves of the training that made the run's checkpoint, if they are still there.

    Results of another system have no checkpoint, and nothing to do with a training beside them.
    """
    checkpoint = files.origin.get("checkpoint")
    if not checkpoint:
        return None
    curves = read_training_curves([files.folder.parent, Path(checkpoint).parent])
    return None if curves is None else asdict(curves)


def _sparse(row: np.ndarray) -> dict[int, int]:
    return {int(column): int(row[column]) for column in np.flatnonzero(row)}
