"""Write what was measured of a teacher: teacher.json with all of it, teacher.md to read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovdistill.commands.teacher.report import Report
from ovdistill.core.files import write_json, write_text
from ovdistill.core.markdown import markdown_cell
from ovdistill.core.provenance import provenance
from ovdistill.teacher import Teacher

if TYPE_CHECKING:
    from ovdistill.commands.teacher.evaluate import EvaluateOptions


def write_figures(options: EvaluateOptions, report: Report, teacher: Teacher) -> list[Path]:
    """Write the two files; return their paths.

    Args:
        options: of the command, whose ``out`` is the folder.
        report: what was measured.
        teacher: the teacher.
    """
    assert options.out is not None  # else the command does not come here
    origin = _origin(options, report, teacher)
    path, text = options.out / "teacher.json", options.out / "teacher.md"
    write_text(text, _markdown(report, origin))
    write_json(path, {"figures": asdict(report.figures), "remarks": [*report.remarks], **origin})
    return [path, text]


def _origin(options: EvaluateOptions, report: Report, teacher: Teacher) -> dict[str, Any]:
    """Return where the figures come from, as plain JSON values."""
    vocabulary, given = report.vocabulary, options.vocabulary
    return provenance(
        config=options.config,
        vocabulary=None if given is None else str(given),
        **teacher.id.to_header(),
        random_teacher=teacher.random,
        precision=getattr(teacher, "precision", "fp32"),
        **report.origin,
        templates=list(vocabulary.templates),
        novel=[
            name
            for name, is_base in zip(vocabulary.names, vocabulary.is_base.tolist(), strict=True)
            if not is_base
        ],
        max_images=options.max_images,
    )


def _markdown(report: Report, origin: dict[str, Any]) -> str:
    facts = [
        f"teacher {origin['teacher']}, weights {origin['teacher_hash'] or 'of unknown hash'}",
        *report.remarks,
    ]
    if digest := origin.get("annotations_sha256"):
        facts.append(f"annotations SHA-256 {digest}")
    versions = [f"ovdistill {origin['ovdistill']}", origin["libraries"]["torch"]]
    versions += [origin["evaluator"]] if origin["evaluator"] else []
    facts.append(", ".join([*versions, origin["date"]]))
    parts = [
        "# What the teacher can do\n",
        _list(facts),
        *(table.markdown() for table in report.tables),
    ]
    if report.lines:
        parts += ["## In words\n", _list(report.lines)]
    return "\n".join(parts)


def _list(lines: Iterable[str]) -> str:
    return "".join(f"- {markdown_cell(line)}\n" for line in lines)
