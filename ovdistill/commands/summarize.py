"""Print mean and standard deviation of several test runs.

    ovdistill summarize "ViLD=work_dirs/vild_s*/test" "text=work_dirs/text_s*/test"

prints a Markdown table with a row for each NAME=FOLDERS (a glob of folders with a metrics.json).
What no run of a row has, or what had no object to find (-1), is a dash.
"""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ovdistill.commands.options import CommonOptions, argument, option
from ovdistill.core.errors import UserError
from ovdistill.core.markdown import markdown_table
from ovdistill.evaluation.result_files import read_metrics

KEYS = (
    *("bbox/AP_novel", "bbox/AP_base", "bbox/AP50_novel", "bbox/AP50_base", "bbox/HM50"),
    *("segm/AP_novel", "segm/AP_base", "proposal/AR100_novel"),
)


@dataclass(frozen=True, kw_only=True)
class SummarizeOptions(CommonOptions):
    """Options of ``ovdistill summarize``."""

    rows: tuple[str, ...] = argument(
        "name of a row, and a glob of the folders of its runs", metavar="NAME=FOLDERS"
    )
    keys: tuple[str, ...] = option(KEYS, help="metrics, a column each", metavar="KEY")


def summarize(options: SummarizeOptions) -> None:
    """Print the table.

    Raises:
        UserError: a row without runs, runs without one of ``--keys``, or without any of the
            metrics that are shown by default.
    """
    from ovdistill.evaluation.text_tables import mean_and_deviation  # imports rich

    # of the default ones, which are of boxes, masks and proposals, a run may lack some
    may_lack = len(KEYS) - 1 if options.keys == KEYS else 0
    rows = []
    for row in options.rows:
        name, equals, pattern = row.rpartition("=")
        if not equals:
            raise UserError(f"got {row!r}; expected NAME=FOLDERS.")
        runs = read_runs(pattern)
        for run in runs:
            missing = [key for key in options.keys if key not in run]
            if len(missing) > may_lack:
                raise UserError(
                    f"{pattern} has no {missing[0]}; choose with --keys among what it has: "
                    f"{', '.join(run)}."
                )
        cells = [mean_and_deviation(_measured(runs, key)) for key in options.keys]
        rows.append([name, str(len(runs)), *cells])
    print(markdown_table(["", "runs", *options.keys], rows))


def _measured(runs: Sequence[Mapping[str, float]], key: str) -> list[float]:
    """Return the figures of the runs that have one; -1 stands for none."""
    return [run[key] for run in runs if run.get(key, -1.0) >= 0]


def read_runs(pattern: str) -> list[dict[str, float]]:
    """Return the metrics of every folder that matches a glob.

    Raises:
        UserError: none of the folders has a metrics.json, or see ``read_metrics``.
    """
    paths = [Path(folder) / "metrics.json" for folder in sorted(glob.glob(pattern))]
    runs = [read_metrics(path) for path in paths if path.is_file()]
    if not runs:
        raise UserError(
            f"no metrics.json in {pattern}; make one with `ovdistill test CONFIG CHECKPOINT "
            "-o FOLDER`."
        )
    return runs
