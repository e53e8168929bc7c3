"""Write what was measured of a teacher: teacher.json with all of it, teacher.md to read."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovdistill.commands.teacher.inputs import Inputs
from ovdistill.core.files import write_json, write_text
from ovdistill.core.provenance import installed_version, provenance
from ovdistill.core.text import markdown_cell
from ovdistill.evaluation.teacher.figures import TeacherFigures
from ovdistill.evaluation.teacher.tables import closing_lines, tables
from ovdistill.teacher import Teacher

if TYPE_CHECKING:
    from ovdistill.commands.teacher.evaluate import EvaluateOptions


def write_figures(
    options: EvaluateOptions, figures: TeacherFigures, inputs: Inputs, teacher: Teacher
) -> list[Path]:
    """Write the two files; return their paths.

    Args:
        options: of the command, whose ``out`` is the folder.
        figures: what was measured.
        inputs: of what, and how.
        teacher: the teacher.
    """
    assert options.out is not None  # else the command does not come here
    origin = _origin(options, inputs, teacher)
    path, text = options.out / "teacher.json", options.out / "teacher.md"
    write_text(text, _markdown(figures, inputs, origin))
    write_json(path, {"figures": asdict(figures), "remarks": [*inputs.remarks], **origin})
    return [path, text]


def _origin(options: EvaluateOptions, inputs: Inputs, teacher: Teacher) -> dict[str, Any]:
    """Return where the figures come from, as plain JSON values."""
    vocabulary, given, ceilings = inputs.vocabulary, options.vocabulary, inputs.ceilings
    return provenance(
        config=options.config,
        vocabulary=None if given is None else str(given),
        evaluator=installed_version("hotcoco") if ceilings else None,
        **teacher.id.to_header(),
        random_teacher=teacher.random,
        precision=getattr(teacher, "precision", "fp32"),
        **inputs.origin,
        templates=list(vocabulary.templates),
        novel=[
            name
            for name, is_base in zip(vocabulary.names, vocabulary.is_base.tolist(), strict=True)
            if not is_base
        ],
        whole_image=teacher.whole_image.to_dict(),
        protocol=ceilings.protocol if ceilings else None,
        max_images=options.max_images,
        seed=inputs.seed,
    )


def _markdown(figures: TeacherFigures, inputs: Inputs, origin: dict[str, Any]) -> str:
    facts = [
        f"teacher {origin['teacher']}, weights {origin['teacher_hash'] or 'of unknown hash'}",
        *inputs.remarks,
    ]
    if inputs.ceilings:
        facts.append(f"annotations SHA-256 {origin['annotations_sha256']}")
    versions = [f"ovdistill {origin['ovdistill']}", origin["libraries"]["torch"]]
    versions += [origin["evaluator"]] if inputs.ceilings else []
    facts.append(", ".join([*versions, origin["date"]]))
    parts = [
        "# What the teacher can do\n",
        _list(facts),
        *(table.markdown() for table in tables(figures)),
        "## In words\n",
        _list([*closing_lines(figures)]),
    ]
    return "\n".join(parts)


def _list(lines: list[str]) -> str:
    return "".join(f"- {markdown_cell(line)}\n" for line in lines)
