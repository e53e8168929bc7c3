"""Shows the metrics of an evaluation as a table, and writes them to files.

``metrics.json`` holds numbers under flat keys and nothing else. ``provenance.json`` beside it says
where they come from, and ``per_category.json`` has the results of each class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from ovdistill.core.files import write_json, write_text
from ovdistill.core.markdown import markdown_table
from ovdistill.core.text import printable
from ovdistill.evaluation.text_tables import print_whole

COLUMNS = (
    *("AP", "AP50", "AP75", "AP_base", "AP_novel", "AP50_base", "AP50_novel", "HM50"),
    *("APr", "APc", "APf"),
)


def rows(metrics: Mapping[str, float]) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of the table as text.

    Args:
        metrics: flat keys such as 'bbox/AP_novel', in percent.

    Returns:
        Cells with one decimal; '-' for a metric that is missing or negative (no ground truth).
    """
    kinds = [kind for kind in ("bbox", "segm") if f"{kind}/AP" in metrics]
    columns = [name for name in COLUMNS if any(f"{kind}/{name}" in metrics for kind in kinds)]
    body = [[kind, *(_cell(metrics.get(f"{kind}/{name}")) for name in columns)] for kind in kinds]
    return ["", *columns], body


def table(metrics: Mapping[str, float], title: str | None = None) -> Table:
    """Make a rich table of the metrics, with rows 'bbox' and 'segm' and columns AP to APf."""
    header, body = rows(metrics)
    result = Table(title=None if title is None else Text(printable(title)))
    for name in header:
        style = "bold green" if name.endswith("novel") else None
        result.add_column(name, justify="right" if name else "left", style=style, no_wrap=True)
    for row in body:
        result.add_row(*row)
    return result


def print_table(metrics: Mapping[str, float], title: str | None = None) -> None:
    """Print the table in its full width, also where the terminal is narrower."""
    print_whole(table(metrics, title))


def markdown(metrics: Mapping[str, float]) -> str:
    """Return the table in Markdown."""
    return markdown_table(*rows(metrics)) + "\n"


def write_report(
    directory: str | Path,
    metrics: Mapping[str, float],
    origin: Mapping[str, Any],
    per_category: Sequence[Mapping[str, Any]] = (),
    tables: str | None = None,
) -> Path:
    """Write metrics.json, metrics.md, provenance.json and, if given, per_category.json.

    Args:
        directory: the folder, which is made if it is missing.
        metrics: metrics by flat key; values that are no numbers are left out.
        origin: where the metrics come from, see ``core.provenance``.
        per_category: results of each class, see ``OVMetric.per_category``.
        tables: the content of metrics.md; None: the table of detection.

    Returns:
        The path of metrics.json.
    """
    directory = Path(directory)
    numbers = {key: float(value) for key, value in metrics.items() if _is_number(value)}
    write_json(directory / "provenance.json", dict(origin))
    if per_category:
        write_json(directory / "per_category.json", list(per_category))
    write_text(directory / "metrics.md", markdown(numbers) if tables is None else tables)
    write_json(directory / "metrics.json", numbers)
    return directory / "metrics.json"


def _is_number(value: Any) -> bool:
    return hasattr(value, "__float__") and not isinstance(value, str)


def _cell(value: float | None) -> str:
    return "-" if value is None or value < 0 else f"{value:.1f}"
