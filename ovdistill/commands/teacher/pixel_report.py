"""`ovdistill teacher evaluate --segmentation`: a teacher's dense embeddings against label maps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ovdistill.commands.config_maps import check_label_maps, config_label_maps
from ovdistill.commands.teacher.inputs import RANDOM_NOTE
from ovdistill.commands.teacher.names import (
    config_vocabulary,
    encode_vocabulary,
    load_vocabulary,
)
from ovdistill.commands.teacher.report import Report
from ovdistill.datasets.names.label_table import load_label_table
from ovdistill.evaluation.text_tables import TextTable
from ovdistill.segmentation.data.label_maps import LabelMaps, find_label_maps
from ovdistill.segmentation.dense_teacher import DenseTeacher
from ovdistill.segmentation.measure_teacher import SegmentationFigures, score_teacher
from ovdistill.segmentation.metrics.tables import class_table, missing_line, summary_tables
from ovdistill.teacher import Teacher
from ovdistill.vocabulary import Vocabulary

if TYPE_CHECKING:
    from ovdistill.commands.teacher.evaluate import EvaluateOptions


def report_on_pixels(options: EvaluateOptions, teacher: Teacher) -> Report:
    """Measure a teacher on label maps.

    Args:
        options: of the command, with ``--segmentation``.
        teacher: the one to measure.

    Raises:
        UserError: files that are missing or do not fit each other, a vocabulary of another
            teacher, or a teacher without dense features.
    """
    dense = DenseTeacher(teacher, options.dense_scale or 1.0, size=options.dense_size)
    _ = teacher.dense_stride  # raises before the names are encoded
    vocabulary, maps, remarks = _find(options, teacher)
    drawn = maps.draw(options.max_images)
    scores = score_teacher(
        dense, vocabulary, drawn, denoise=options.denoise or 0.0, smooth=options.smooth
    )
    figures = SegmentationFigures.of(scores, drawn)
    tables = _tables(figures, per_class=options.per_class)
    line = missing_line(scores)
    note = [RANDOM_NOTE] if teacher.random else []
    return Report(
        figures=figures,
        tables=tables,
        lines=[line] if line else [],
        vocabulary=vocabulary,
        remarks=[*note, f"{len(drawn)} of {len(maps)} images with label maps", *remarks],
        origin=_origin(options, dense),
    )


def _tables(figures: SegmentationFigures, *, per_class: bool) -> list[TextTable]:
    (summary,) = summary_tables({f"semantic/{key}": v for key, v in figures.semantic.items()})
    names = f"{figures.names} names, {figures.novel_names} of them novel (unseen)"
    title = f"Zero-shot segmentation of {figures.images} images among {names}, %"
    shown = [replace(summary, title=title)]
    if per_class:
        shown.append(class_table("Classes, unseen before seen ones, %", figures.classes))
    return shown


def _find(options: EvaluateOptions, teacher: Teacher) -> tuple[Vocabulary, LabelMaps, list[str]]:
    """Return class names, label maps, and sentences on what is left out."""
    if options.label_maps is None:
        return _of_config(options, teacher)
    assert options.label_table is not None  # see ``check_choices``
    table = load_label_table(options.label_table)
    found = find_label_maps(options.label_maps, options.images)
    if options.vocabulary:
        vocabulary = load_vocabulary(options.vocabulary, teacher)
    else:
        vocabulary = encode_vocabulary(table.class_names(), options, teacher)
    maps = found.label_maps(table, vocabulary.names, vocabulary.is_base.tolist())
    remarks = []
    if left := found.without_image:
        remarks.append(f"{len(left)} label maps are left out, which have no image: {left[0].name}")
    return vocabulary, maps, remarks


def _of_config(
    options: EvaluateOptions, teacher: Teacher
) -> tuple[Vocabulary, LabelMaps, list[str]]:
    from ovdistill.extraction.prepare import prepare_data, run_step
    from ovdistill.models.config import load_config

    assert options.config is not None  # see ``check_choices``
    config = load_config(options.config, options.overrides)
    check_label_maps(config, options.subset)  # before data are drawn and names encoded
    run_step(config, "data", prepare_data)
    if options.vocabulary:
        vocabulary = load_vocabulary(options.vocabulary, teacher)
    else:
        vocabulary = config_vocabulary(options, config, teacher)
    return vocabulary, config_label_maps(config, options.subset, vocabulary), []


def _origin(options: EvaluateOptions, dense: DenseTeacher) -> dict[str, Any]:
    """Return where the label maps come from, and how the images were segmented."""
    return dict(
        label_maps=options.label_maps and str(options.label_maps),
        images=options.images and str(options.images),
        label_table=options.label_table,
        subset=None if options.label_maps else options.subset,
        dense_scale=None if options.dense_size else dense.scale,
        dense_size=options.dense_size,
        denoise=options.denoise or 0.0,
        smooth=options.smooth,
    )
