"""Write what an adaptation did: JSON with all of it, and Markdown to read, beside the result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ovdistill.commands.teacher.adapt.inputs import AdaptInputs
from ovdistill.commands.teacher.adapt.options import AdaptOptions
from ovdistill.core.errors import UserError
from ovdistill.core.files import sha256_of, write_json, write_text
from ovdistill.core.markdown import markdown_cell
from ovdistill.core.provenance import provenance
from ovdistill.evaluation.teacher.adaptation import (
    Accuracy,
    AccuracyChange,
    accuracy_of,
    change_lines,
    change_table,
    variant_table,
)
from ovdistill.teacher.teacher_folder import REPORTS
from ovdistill.teacher_training.adapt.data import Adaptation, AdaptData, AdaptMethod


def report_paths(out: Path, *, folder: bool) -> tuple[Path, Path]:
    """Return the paths of the report: beside the result, or in it where it is a folder."""
    if folder:
        return out / REPORTS[0], out / REPORTS[1]
    stem = out.name.removesuffix(".safetensors")
    return out.with_name(f"{stem}.json"), out.with_name(f"{stem}.md")


def check_report_paths(out: Path, *, folder: bool) -> None:
    """Raise UserError if a report would replace a file that is no report of an adaptation."""
    path, text = report_paths(out, folder=folder)
    if path.exists():
        try:
            content = json.loads(path.read_bytes())
        except (OSError, ValueError):
            content = None
        ours = isinstance(content, dict) and {"figures", "zero_shot", "method"} <= content.keys()
    else:
        ours = not text.exists()
    if not ours:
        raise UserError(
            f"{path if path.exists() else text} is there, and no report of an adaptation, which "
            f"-o {out} would write there; give -o another name"
        )


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
    path, text = report_paths(options.out, folder=options.result_is_folder)
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
    write_text(text, _markdown(method, data, inputs, result, change, variants, origin))
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
        settings=method.settings,
        facts=dict(result.facts),
        source=data.source,
        remarks=[*inputs.remarks],
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
    inputs: AdaptInputs,
    result: Adaptation,
    change: AccuracyChange,
    variants: Mapping[str, Accuracy],
    origin: dict[str, Any],
) -> str:
    settings = method.settings | dict(result.facts)
    facts = [
        f"teacher {data.teacher.id}",
        f"result {result.teacher.id}, temperature {result.teacher.temperature:.4g}",
        f"learned from {data.source}",
        *inputs.remarks,
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
