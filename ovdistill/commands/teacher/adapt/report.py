"""Write what an adaptation did: JSON with all of it, and Markdown to read, beside the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ovdistill.commands.teacher.adapt.inputs import AdaptInputs
from ovdistill.commands.teacher.adapt.options import AdaptOptions
from ovdistill.core.files import sha256_of, write_json, write_text
from ovdistill.core.provenance import provenance
from ovdistill.core.text import markdown_cell
from ovdistill.evaluation.teacher.adaptation import (
    Accuracy,
    AccuracyChange,
    accuracy_of,
    change_lines,
    change_table,
    variant_table,
)
from ovdistill.teacher_training.adapt.data import Adaptation, AdaptData, AdaptMethod


def report_paths(out: Path) -> tuple[Path, Path]:
    """Return the paths of the report: beside a file that was written, or in a folder."""
    if out.is_dir():
        return out / "adaptation.json", out / "adaptation.md"
    return out.with_suffix(".json"), out.with_suffix(".md")


def write_report(
    options: AdaptOptions,
    method: AdaptMethod,
    data: AdaptData,
    inputs: AdaptInputs,
    result: Adaptation,
    change: AccuracyChange,
    variants: Mapping[str, Accuracy],
) -> tuple[Path, Path]:
    """Write the two files; return their paths.

    Args:
        options: of the command.
        method: how it was learned.
        data: from what.
        inputs: on what it was measured.
        result: what was learned.
        change: accuracy before and after.
        variants: accuracy of other results of the same learning, by title.
    """
    origin = _origin(options, method, data, inputs, result)
    figures = dict(
        before=asdict(accuracy_of(change.before)), after=asdict(accuracy_of(change.after))
    )
    path, text = report_paths(options.out)
    write_json(
        path,
        {
            "figures": figures,
            "variants": {title: asdict(found) for title, found in variants.items()},
            "lines": [*change_lines(change)],
            "zero_shot": asdict(change),
            **origin,
        },
    )
    write_text(text, _markdown(method, data, result, change, variants, origin))
    return path, text


def _origin(
    options: AdaptOptions,
    method: AdaptMethod,
    data: AdaptData,
    inputs: AdaptInputs,
    result: Adaptation,
) -> dict[str, Any]:
    """Return where the result comes from, as plain JSON values."""
    given, tested = options.vocabulary, inputs.test.found.path
    return provenance(
        config=options.config,
        vocabulary=None if given is None else str(given),
        method=method.name,
        settings=asdict(method),
        facts=dict(result.facts),
        source=data.source,
        shots=options.shots,
        unsupervised=options.unsupervised,
        annotations=str(inputs.annotations),
        test_annotations=str(tested),
        test_annotations_sha256=sha256_of(tested),
        temperature=result.teacher.temperature,
        teacher_before=data.teacher.id.to_header(),
        **result.teacher.id.to_header(),
    )


def _markdown(
    method: AdaptMethod,
    data: AdaptData,
    result: Adaptation,
    change: AccuracyChange,
    variants: Mapping[str, Accuracy],
    origin: dict[str, Any],
) -> str:
    settings = asdict(method) | dict(result.facts)
    facts = [
        f"teacher {data.teacher.id}",
        f"result {result.teacher.id}, temperature {result.teacher.temperature:.4g}",
        f"learned from {data.source}",
        f"settings {', '.join(f'{key} {value}' for key, value in settings.items())}",
        f"measured on {origin['test_annotations']}",
        f"ovdistill {origin['ovdistill']}, torch {origin['libraries']['torch']}, {origin['date']}",
    ]
    lines = [f"# A teacher adapted by {method.name}\n", _list(facts)]
    lines += [change_table(change).markdown(), "## In words\n", _list([*change_lines(change)])]
    if variants:
        lines.append(variant_table(variants).markdown())
    return "\n".join(lines)


def _list(lines: list[str]) -> str:
    return "".join(f"- {markdown_cell(line)}\n" for line in lines)
