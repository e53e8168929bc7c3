"""What `ovdistill teacher evaluate` reports, whatever it measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ovdistill.commands.teacher.box_inputs import find_box_inputs
from ovdistill.commands.teacher.folder_inputs import find_folder_inputs
from ovdistill.commands.teacher.inputs import Inputs
from ovdistill.commands.teacher.measure import measure_teacher
from ovdistill.core.provenance import installed_version
from ovdistill.evaluation.teacher.figures import TeacherFigures
from ovdistill.evaluation.teacher.linear_probe import LEAST_IMAGES
from ovdistill.evaluation.teacher.tables import closing_lines, tables
from ovdistill.evaluation.text_tables import TextTable
from ovdistill.segmentation.measure_teacher import SegmentationFigures
from ovdistill.teacher import Teacher
from ovdistill.vocabulary import Vocabulary

if TYPE_CHECKING:
    from ovdistill.commands.teacher.evaluate import EvaluateOptions


@dataclass(frozen=True, eq=False)
class Report:
    """Figures of a teacher, in all forms in which they are shown.

    Attributes:
        figures: all of them.
        tables: to read.
        lines: what they mean, in words.
        vocabulary: the class names that competed.
        remarks: sentences on what was measured and what is left out.
        origin: where all of it is from, as plain JSON values.
    """

    figures: TeacherFigures | SegmentationFigures
    tables: Sequence[TextTable]
    lines: Sequence[str]
    vocabulary: Vocabulary
    remarks: Sequence[str]
    origin: Mapping[str, Any]


def report_on_objects(options: EvaluateOptions, teacher: Teacher) -> Report:
    """Measure a teacher on true boxes, or on whole images.

    Args:
        options: of the command.
        teacher: the one to measure.

    Raises:
        UserError: see ``find_box_inputs``, ``find_folder_inputs`` and ``measure_teacher``.
    """
    find = find_folder_inputs if options.folder else find_box_inputs
    inputs = find(options, teacher)
    figures = measure_teacher(inputs, teacher)
    ceilings = inputs.ceilings
    return Report(
        figures=figures,
        tables=[*tables(figures)],
        lines=[*closing_lines(figures)],
        vocabulary=inputs.vocabulary,
        remarks=[*inputs.remarks, *_missing(options, inputs, figures)],
        origin=dict(
            inputs.origin,
            evaluator=installed_version("hotcoco") if ceilings else None,
            whole_image=teacher.whole_image.to_dict(),
            protocol=ceilings.protocol if ceilings else None,
            seed=inputs.seed,
        ),
    )


def _missing(options: EvaluateOptions, inputs: Inputs, figures: TeacherFigures) -> Iterator[str]:
    """Yield sentences on what turned out to be missing."""
    if unread := len(inputs.measured.files) - figures.images:
        yield f"{unread} images could not be read and are left out (the log names the first)"
    if figures.probe is None and not options.no_probe:
        yield (
            f"no linear probe: it takes {LEAST_IMAGES} images and two classes with objects to be "
            "fitted to"
        )
