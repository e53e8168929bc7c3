"""Results that earlier runs have written: ``summarize`` and ``compare`` read them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

from ovdistill.commands.report import ReportOptions, report
from ovdistill.commands.summarize import KEYS, SummarizeOptions, summarize
from ovdistill.evaluation.comparison import _summarize_row, collect, markdown, read_runs
from ovdistill.evaluation.comparison_rows import Row

from ..mutate_bytes import mutate_bytes
from ..mutate_json import dump, mutate_json
from ..reader import Files, Reader, change_one

METRICS = {key: 12.5 for key in KEYS}
ORIGIN = {"date": "2026-01-01", "seconds_per_image": 0.1, "libraries": {"torch": "2.9"}}
SCALARS = b'{"loss": 1.5, "time": 0.2, "memory": 100}\n{"bbox/AP": 3.0}\n'


class ResultsReader(Reader):
    """``ovdistill summarize``."""

    name = "results"

    def seeds(self) -> Sequence[Files]:
        """Return the results of two runs."""
        return [{"a1/metrics.json": dump(METRICS), "a2/metrics.json": dump(METRICS)}]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change one of the files."""
        changed, name = change_one(files, rng)
        if rng.random() < 0.15 or not name.endswith(".json"):
            changed[name] = mutate_bytes(changed[name], rng)
        else:
            changed[name] = dump(mutate_json(json.loads(changed[name]), rng))
        return changed

    def read(self, folder: Path) -> None:
        """Print the table."""
        summarize(SummarizeOptions(rows=(f"row={folder}/a*",)))


class SegmentationRunReader(ResultsReader):
    """``ovdistill report`` of a segmentor's test."""

    name = "segmentation run"

    def seeds(self) -> Sequence[Files]:
        """Return a run of two classes with an example."""
        classes = [
            dict(kind="semantic", name=name, group=group, IoU=iou, Acc=iou)
            for name, group, iou in (("sky", "seen", 50.0), ("star", "unseen", None))
        ]
        example = dict(caption="a.png", source="images/a.png", file="worst_0.webp")
        return [
            {
                "run/metrics.json": dump({"semantic/mIoU": 50.0}),
                "run/provenance.json": dump(ORIGIN),
                "run/per_category.json": dump(classes),
                "run/pixel_pairs.json": dump(dict(images=2, pairs=[[0, 0, 5], [1, -1, 7]])),
                "run/examples/examples.json": dump(dict(worst=[example], best=[])),
            }
        ]

    def read(self, folder: Path) -> None:
        """Write the page."""
        report(ReportOptions(runs=(f"{folder}/run",), out=str(folder / "report")))


class ComparisonReader(ResultsReader):
    """What ``ovdistill compare`` collects, and the file of an earlier comparison."""

    name = "comparison"

    def seeds(self) -> Sequence[Files]:
        """Return a finished run, with the comparison of earlier ones."""
        run = METRICS | {"seed": 1, "date": "2026-01-01", "torch": "2.9", "seconds": 0.1}
        earlier = {"split": "shape", "subset": "val", "rows": [{"name": "row", "runs": [run]}]}
        return [
            {
                "row/seed0/val/metrics.json": dump(METRICS),
                "row/seed0/val/provenance.json": dump(ORIGIN),
                "row/seed0/cost.json": dump({"memory": 100.0}),
                "row/seed0/x/vis_data/scalars.json": SCALARS,
                "earlier.json": dump(earlier),
            }
        ]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change one of the files; scalars.json has one JSON value a line."""
        changed, name = change_one(files, rng)
        if not name.endswith("scalars.json"):
            return super().mutate({name: changed.pop(name)}, rng) | changed
        lines = changed[name].splitlines()
        row = rng.randrange(len(lines))
        lines[row] = dump(mutate_json(json.loads(lines[row]), rng))
        return {**changed, name: b"\n".join(lines)}

    def read(self, folder: Path) -> None:
        """Collect the runs and make the table."""
        row = Row("row", "Row", "config.py")
        known = read_runs(folder / "earlier.json", "shape", "val", "plain")
        found = collect(folder, "val", [row], known)
        markdown([_summarize_row(row, runs) for runs in found.values()])
