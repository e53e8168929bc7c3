"""Scores detections that are in files, without a detector: `ovdistill test --results`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from ovdistill.commands.test.inputs import DUMP, TestOptions
from ovdistill.commands.test.scoring_task import ScoringTask, scoring_task
from ovdistill.core.errors import UserError
from ovdistill.core.files import hash_file, sha256_of
from ovdistill.core.provenance import provenance
from ovdistill.evaluation.evaluate import evaluate
from ovdistill.evaluation.records import Records
from ovdistill.evaluation.report import print_table, write_report
from ovdistill.evaluation.results import read_results, unused
from ovdistill.evaluation.submission import write_submissions

LOGGER = logging.getLogger(__name__)


def score_results(options: TestOptions) -> None:
    """Score the detections and write the results.

    Raises:
        UserError: files that cannot be used, or do not fit each other.
    """
    task = scoring_task(options)
    found = wanted_results(options, task)
    hashes = {str(path): sha256_of(path) for path in options.results}
    image_ids = evaluated_images(options, task, found)
    cat_ids = [one.category_id for one in task.classes]
    for metric, records in found.items():
        for line in unused(records, cat_ids, image_ids, task.protocol):
            LOGGER.warning("%s: %s", metric, line)
    if options.dump:
        write_submissions(str(options.folder / DUMP), found, task.truth, task.protocol)
    evaluation = evaluate(task.truth, found, task.classes, image_ids, task.protocol)
    origin = results_origin(options, task, image_ids, evaluation.evaluator, hashes)
    path = write_report(options.folder, evaluation.metrics, origin, evaluation.per_category)
    names = ", ".join(map(str, options.results))
    print_table(evaluation.metrics, title=f"{names}, {len(image_ids)} images")
    print(f"wrote {path}")


def wanted_results(options: TestOptions, task: ScoringTask) -> dict[str, Records]:
    """Return the detections by metric, those that the task evaluates.

    Raises:
        UserError: there are none, or see ``read_results``.
    """
    found = read_results(options.results, task.truth)
    wanted = {metric: records for metric, records in found.items() if metric in task.metrics}
    if not wanted:
        raise UserError(
            f"--results have detections for {', '.join(found)}; {options.config} evaluates "
            f"{', '.join(task.metrics)} (metrics of its test_evaluator)."
        )
    return wanted


def evaluated_images(
    options: TestOptions, task: ScoringTask, found: Mapping[str, Records]
) -> list[int]:
    """Return the ids of the images that count: all of the file, or those with a detection.

    Raises:
        UserError: only images with a detection are to count, and there is none.
    """
    if not options.images_with_results:
        return [image["id"] for image in task.truth.images]
    seen = sorted({*(i for records in found.values() for i in records.image_ids.tolist())})
    if not seen:
        files = ", ".join(map(str, options.results))
        raise UserError(
            f"got --images-with-results, but {files} has no detection in an image of "
            f"{task.truth.path}; expected one or more. Without the option all images count."
        )
    LOGGER.warning(
        "evaluated the %d images that have a detection, of the %d of %s: objects of the others, "
        "in which nothing was found, do not count",
        *(len(seen), len(task.truth.images), task.truth.path),
    )
    return seen


def results_origin(
    options: TestOptions,
    task: ScoringTask,
    image_ids: Sequence[int],
    evaluator: str,
    hashes: Mapping[str, str],
) -> dict[str, Any]:
    """Return the provenance of the figures.

    Args:
        options: of the command.
        task: what the detections were scored against.
        image_ids: the images that count.
        evaluator: name and version of the library.
        hashes: SHA-256 of each file of results, as it was read.
    """
    known = task.truth.original_image_ids
    return provenance(
        config=options.config,
        vocabulary=task.vocabulary,
        evaluator=evaluator,
        subset=options.subset if options.config else None,
        ann_file=str(task.truth.path),
        hashes=dict(ann_file=hash_file(task.truth.path)),
        results={**hashes},
        protocol=task.protocol.name,
        max_dets=task.protocol.limit,
        novel=options.novel,
        image_ids=[known[number] for number in image_ids] if len(image_ids) < len(known) else None,
        images_with_results=options.images_with_results,
    )
