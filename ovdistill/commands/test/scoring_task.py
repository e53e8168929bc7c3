"""What `ovdistill test --results` scores detections against: a config's data, or a file."""

from __future__ import annotations

from dataclasses import dataclass

from ovdistill.commands.test.inputs import TestOptions, instance_evaluator, testing_config
from ovdistill.core.vocabulary_header import read_header
from ovdistill.datasets.annotations import Annotations, read_annotations
from ovdistill.datasets.annotations.class_categories import require_categories
from ovdistill.evaluation.evaluate import (
    METRIC_NAMES,
    EvaluatedClass,
    Protocol,
    check_annotation_file,
)

RARE = "r"


@dataclass(frozen=True)
class ScoringTask:
    """What detections are scored against.

    Attributes:
        truth: the annotation file.
        classes: the classes that compete.
        protocol: how they are evaluated.
        metrics: those to evaluate, as far as there are detections for them.
        vocabulary: path of the vocabulary file that names the classes, or None.
    """

    truth: Annotations
    classes: list[EvaluatedClass]
    protocol: Protocol
    metrics: tuple[str, ...] = METRIC_NAMES
    vocabulary: str | None = None


def scoring_task(options: TestOptions) -> ScoringTask:
    """Return what the options of the command name.

    Raises:
        UserError: files that cannot be used, or do not fit each other.
    """
    if options.config:
        return _task_of_config(options)
    assert options.annotations is not None  # see ``check_files``
    truth = read_annotations(options.annotations, allow_outside_images=True)  # none is opened
    protocol = Protocol(options.protocol or ("lvis" if truth.is_lvis else "coco"))
    if options.vocabulary:
        classes = _classes_of_vocabulary(options.vocabulary, truth)
    else:
        classes = _classes_of_file(truth, options.novel)
    return ScoringTask(truth, classes, protocol, vocabulary=options.vocabulary)


def _task_of_config(options: TestOptions) -> ScoringTask:
    from ovdistill.extraction.prepare import prepare

    config = testing_config(options, options.folder)
    prepare(config, for_training=False)
    evaluator = instance_evaluator(config)
    ann_file = check_annotation_file(evaluator.ann_file)
    truth = read_annotations(ann_file, allow_outside_images=True)
    protocol = {key: evaluator[key] for key in ("max_dets", "backend") if key in evaluator}
    metrics = evaluator.get("metrics", METRIC_NAMES)
    vocabulary = config.test_dataloader.dataset.vocabulary
    return ScoringTask(
        truth,
        _classes_of_vocabulary(vocabulary, truth),
        Protocol(evaluator.get("protocol", "lvis"), **protocol),
        (metrics,) if isinstance(metrics, str) else tuple(metrics),
        vocabulary,
    )


def _classes_of_vocabulary(path: str, truth: Annotations) -> list[EvaluatedClass]:
    """Return the classes of a vocabulary file; torch is not needed for its header."""
    header = read_header(path)
    cat_ids = require_categories(header.names, truth, header.teacher.name)
    rows = zip(cat_ids, header.names, header.is_base, strict=True)
    return [EvaluatedClass(*row) for row in rows]


def _classes_of_file(truth: Annotations, novel: str | None) -> list[EvaluatedClass]:
    """Return the categories of a file as classes, or those of them that a split uses."""
    categories = truth.categories
    if novel is None:
        return [
            EvaluatedClass(c["id"], name, not (truth.is_lvis and c["frequency"] == RARE))
            for name, c in categories.items()
        ]
    # these import torch, which takes seconds
    from ovdistill.datasets.build_vocabulary import split_names
    from ovdistill.vocabulary import Names

    frequency = tuple(c["frequency"] for c in categories.values()) if truth.is_lvis else None
    names, is_base = split_names(Names(tuple(categories), frequency), novel)
    rows = zip(names.names, is_base.tolist(), strict=True)
    return [EvaluatedClass(categories[name]["id"], name, base) for name, base in rows]
