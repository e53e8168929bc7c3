"""The methods side by side: what each row runs, and the table and plot of what came out."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

from ovdistill.errors import UserError
from ovdistill.evaluation.report import provenance, write_json

COLUMNS = {
    "bbox/AP_novel": "box AP novel",
    "bbox/AP_base": "box AP base",
    "bbox/AP": "box AP all",
    "bbox/AP50_novel": "box AP50 novel",
    "bbox/AP50_base": "box AP50 base",
    "bbox/AP50": "box AP50 all",
    "bbox/HM50": "HM50",
    "segm/AP_novel": "mask AP novel",
    "segm/AP_base": "mask AP base",
    "segm/AP": "mask AP all",
    "segm/AP50_novel": "mask AP50 novel",
    "segm/AP50_base": "mask AP50 base",
    "segm/AP50": "mask AP50 all",
    "proposal/AR100_novel": "AR@100 novel",
    "seconds": "s / iteration",
    "test_seconds": "s / test picture",
    "memory": "peak MiB",
}


@dataclass(frozen=True)
class Row:
    """One method of the comparison.

    Attributes:
        name: also the folder of its runs.
        title: what the table calls it.
        config: of ``configs/``, without the suffix.
        options: ``key=value`` overrides of the config.
        novel_captions: its training captions name novel objects.
        trained_as: the row whose training it shares, or None.
        starts_from: the row whose checkpoint its training starts from, or None.
        test_flags: further arguments of ``tools/test.py``.
    """

    name: str
    title: str
    config: str
    options: tuple[str, ...] = ()
    novel_captions: bool = False
    trained_as: str | None = None
    starts_from: str | None = None
    test_flags: tuple[str, ...] = ()

    @property
    def builds_on_another(self) -> bool:
        """Whether it needs the checkpoint of another row."""
        return bool(self.trained_as or self.starts_from)


# Every row sends the same regions through its head; text alone does so with a weight of zero, so
# that all have the same compute.
ROWS = (
    Row("text", "text only", "vild_r18_shapes", ("model.distillers.0.loss_weight=0",)),
    Row("vild_image", "ViLD-image", "vild_image_r18_shapes"),
    Row("vild", "ViLD", "vild_r18_shapes"),
    Row("vild_ensemble", "ViLD-ensemble", "vild_ensemble_r18_shapes"),
    Row("hierkd", "HierKD, two-stage", "hierkd_r18_shapes", novel_captions=True),
    Row(
        "text_atss",
        "text only, ATSS",
        "hierkd_atss_r18_shapes",
        ("model.distillers.0.loss_weight=0", "model.distillers.1.loss_weight=0"),
    ),
    Row("hierkd_atss", "HierKD, ATSS", "hierkd_atss_r18_shapes", novel_captions=True),
    # in the paper's form RKD's points are ViLD's image loss, with the same weight: one training
    Row(
        "rkd_point",
        "RKD, points",
        "rkd_r18_shapes",
        ("model.distillers.0.relation_weight=0",),
        trained_as="vild",
    ),
    Row("rkd", "RKD, points + relations", "rkd_r18_shapes"),
    Row("rkd_pseudo", "RKD + pseudo labels", "rkd_pseudo_r18_shapes", novel_captions=True),
    Row(
        "rkd_transfer",
        "RKD + pseudo labels + transfer, a second training",
        "rkd_transfer_r18_shapes",
        novel_captions=True,
        starts_from="rkd",
    ),
    Row("vouch", "Vouch (ours)", "vouch_r18_shapes"),
    Row("combined", "combined: Vouch + RKD's relations", "ovdistill_r18_shapes"),
    Row(
        "text_crops",
        "text only + teacher on crops",
        "vild_r18_shapes",
        ("model.distillers.0.loss_weight=0",),
        trained_as="text",
        test_flags=("--teacher-on-crops",),
    ),
    Row(
        "combined_crops",
        "combined + teacher on crops",
        "ovdistill_r18_shapes",
        trained_as="combined",
        test_flags=("--teacher-on-crops",),
    ),
    Row("oracle", "oracle: all classes labelled", "oracle_r18_shapes"),
)


Runs = dict[str, list[dict[str, Any]]]


def collect(folder: Path, pictures: str, known: Runs | None = None) -> Runs:
    """The figures of every finished run, by row.

    Args:
        folder: has ``ROW/seedN/{val,test}/metrics.json`` and ``ROW/seedN/*/vis_data/scalars.json``.
        pictures: 'val' or 'test'.
        known: runs from elsewhere, see ``read_runs``; one that is in the folder too gives way.
    """
    found = {}
    for row in ROWS:
        runs = {run["seed"]: run for run in (known or {}).get(row.name, ())}
        for path in folder.glob(f"{row.name}/seed*/{pictures}/metrics.json"):
            seed = path.parents[1]
            number = int(re.sub(r"\D", "", seed.name))
            trained = folder / (row.trained_as or row.name) / seed.name
            origin = json.loads((path.parent / "provenance.json").read_text())
            runs[number] = {
                **json.loads(path.read_text()),
                **_cost(trained),
                "test_seconds": origin.get("seconds_per_picture", -1),
                "seed": number,
                "date": origin.get("date"),
                "torch": origin.get("libraries", {}).get("torch"),
            }
        if runs:
            found[row.name] = [runs[number] for number in sorted(runs)]
    return found


def read_runs(path: str | Path, split: str, pictures: str) -> Runs:
    """The runs that a ``comparison.json`` holds, by row.

    Raises:
        UserError: no such file, or it is of another split or of other pictures.
    """
    if not Path(path).is_file():
        raise UserError(f"no file {path}; expected a comparison.json of this tool.")
    content = json.loads(Path(path).read_text())
    if (content["split"], content["pictures"]) != (split, pictures):
        raise UserError(
            f"{path} compares on split {content['split']}, {content['pictures']} pictures; "
            f"expected split {split}, {pictures} pictures."
        )
    return {row["name"]: row["runs"] for row in content["rows"]}


def _cost(folder: Path) -> dict[str, float]:
    """Median seconds of an iteration and peak memory in MiB of a run's training.

    The memory is that of the GPU where one was used, else that of the process.
    """
    times, memory = [], []
    for path in folder.glob("*/vis_data/scalars.json"):
        for line in path.read_text().splitlines():
            record = json.loads(line)
            if "loss" in record:
                times.append(record["time"])
                memory.append(record.get("memory", 0))
    cost = {"seconds": median(times)} if times else {}
    process = folder / "cost.json"
    if any(memory):
        cost["memory"] = max(memory)
    elif process.is_file():
        cost |= json.loads(process.read_text())
    return cost


def write_comparison(folder: Path, found: Runs, split: str, pictures: str) -> None:
    """Writes comparison.json, comparison.md and comparison.png."""
    rows = [row for row in ROWS if row.name in found]
    content = {
        "split": split,
        "pictures": pictures,
        "rows": [
            dict(
                name=row.name,
                title=row.title,
                config=row.config,
                options=row.options,
                novel_captions=row.novel_captions,
                runs=found[row.name],
                summary={key: _summary(found[row.name], key) for key in COLUMNS},
            )
            for row in rows
        ],
        "provenance": provenance(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "comparison.json", content)
    (folder / "comparison.md").write_text(markdown(content["rows"]))
    if rows:
        plot(content["rows"], folder / "comparison.png", split)


def _summary(runs: Sequence[dict[str, float]], key: str) -> dict[str, float] | None:
    """Mean and sample standard deviation over runs; None where no run has the figure."""
    values = [run[key] for run in runs if run.get(key, -1) >= 0]
    if not values:
        return None
    return dict(mean=mean(values), std=stdev(values) if len(values) > 1 else 0.0)


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """The table."""
    shown = [key for key in COLUMNS if any(row["summary"][key] for row in rows)]
    lines = [
        ["method", "captions name novel objects", "seeds", *(COLUMNS[key] for key in shown)],
        ["---", ":---:", *["---:"] * (len(shown) + 1)],
    ]
    for row in rows:
        captions = "yes" if row["novel_captions"] else "no"
        cells = [_cell(row["summary"][key], key, len(row["runs"])) for key in shown]
        lines.append([row["title"], captions, str(len(row["runs"])), *cells])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _cell(summary: dict[str, float] | None, key: str, runs: int) -> str:
    if summary is None:
        return "-"
    digits = {"seconds": 2, "test_seconds": 3, "memory": 0}.get(key, 1)
    text = f"{summary['mean']:.{digits}f}"
    spread = runs > 1 and key not in ("seconds", "test_seconds", "memory")
    return text + (f" ± {summary['std']:.{digits}f}" if spread else "")


def plot(rows: Sequence[dict[str, Any]], path: Path, split: str) -> None:
    """Novel against base box AP, a point a row, with a standard deviation each way."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5.5), layout="constrained")
    axes = figure.add_subplot()
    order = [row.name for row in ROWS]  # a row keeps its colour, whichever others there are
    markers = {row.name: "D" for row in ROWS if row.test_flags} | {"oracle": "*"}
    for row in rows:
        base, novel = row["summary"]["bbox/AP_base"], row["summary"]["bbox/AP_novel"]
        axes.errorbar(
            base["mean"],
            novel["mean"],
            xerr=base["std"],
            yerr=novel["std"],
            fmt=markers.get(row["name"], "o"),
            color=colormaps["tab20"](order.index(row["name"]) % 20),
            markersize=8,
            capsize=3,
            label=row["title"],
        )
    axes.set(xlabel="box AP, base words", ylabel="box AP, novel words", title=f"OVShapes, {split}")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    temporary = path.with_suffix(".tmp.png")
    figure.savefig(temporary, dpi=150)
    temporary.replace(path)
