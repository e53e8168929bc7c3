"""What each way of segmentation by words reaches on OVShapes, up to an oracle.

    python benchmarks/segmentation.py -o work_dirs/segmentation
    python benchmarks/segmentation.py -o work_dirs/segmentation --detectors 'best{seed}.pth'
    python benchmarks/segmentation.py -o work_dirs/segmentation --refined refined

Trains the recipe of each row and tests it on test images. The rows by masks need a detector, and
their oracle one to which all classes are labelled: both are trained first, unless --detectors and
--oracle-detectors name their checkpoints, with {seed} for the seed. Writes OUT/segmentation.json
and OUT/segmentation.md with every result. After an interruption, the same command goes on, and on
another machine --known takes over the runs of an earlier segmentation.json; --report writes the
table of what is there.

--refined adds rows whose dense teacher is refined, as docs/regions.md has it.

The column 'way' says how much of the way from LSeg to the oracle by masks a row goes, in unseen
IoU, seed by seed.

A seed takes about two and a half hours of one core: five rows of pixels with 3000 iterations each,
two pixel heads with 600, and two detectors with 2500.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any, Literal

from ovdistill.commands.compare.compare import CompareOptions, Comparison
from ovdistill.commands.config_overrides import read_overrides
from ovdistill.commands.main import run_options
from ovdistill.commands.options import ConfigOptions, flag, option
from ovdistill.core.errors import UserError
from ovdistill.core.files import write_json, write_text
from ovdistill.core.header_values import INTEGER, Kind, expect, list_of
from ovdistill.core.json_files import read_json
from ovdistill.core.logs import progress
from ovdistill.core.markdown import markdown_table
from ovdistill.core.provenance import provenance
from ovdistill.evaluation.comparison import Runs, collect
from ovdistill.evaluation.comparison_rows import Row, pick_rows
from ovdistill.evaluation.result_files import is_number
from ovdistill.evaluation.text_tables import mean_and_deviation

if TYPE_CHECKING:
    from mmengine.config import Config

DETECTOR = pick_rows(["best"])[0]
ALL_LABELS = "train_dataloader.dataset.labelled=all"
DETECTOR_ORACLE = Row(
    "best_oracle",
    "the detector, all classes labelled",
    DETECTOR.config,
    (ALL_LABELS, "model.roi_head.bbox_head.cls_predictor_cfg.train_novel=True"),
)
LATER = ("model.detector.init_cfg=None",)  # the detector is trained between
TRAINING_FREE = Row("training_free", "training-free: MaskCLIP", "lseg_r18_shapes")
LSEG = Row("lseg", "LSeg", "lseg_r18_shapes")
MASK_ORACLE = Row(
    "maskword_oracle",
    "oracle by masks: all classes labelled",
    "maskword_r18_shapes",
    (ALL_LABELS, "model.distillers.0.train_novel=True"),
    starts_from=DETECTOR_ORACLE.name,
    starts_as="detector",
    before=LATER,
)
ROWS = (
    TRAINING_FREE,
    LSEG,
    Row("maskclip_plus", "MaskCLIP+", "maskclip_plus_r18_shapes"),
    Row("dense", "dense embeddings, no names", "maskclip_dense_r18_shapes"),
    Row("vild", "ViLD for pixels", "vild_seg_r18_shapes"),
    Row("pixel_oracle", "oracle by pixels: all classes labelled", "seg_oracle_r18_shapes"),
    Row(
        "maskword",
        "mask-word",
        "maskword_r18_shapes",
        starts_from=DETECTOR.name,
        starts_as="detector",
        before=LATER,
    ),
    MASK_ORACLE,
)
REFINED = "_refined"
DENSE_ROWS = ("training_free", "maskclip_plus", "dense")  # those that see the dense teacher
COLUMNS = {
    "semantic/mIoU": "mIoU",
    "semantic/sIoU": "sIoU",
    "semantic/uIoU": "uIoU",
    "semantic/hIoU": "hIoU",
    "panoptic/PQ": "PQ",
    "panoptic/uPQ": "uPQ",
    "way": "way, %",
    "seconds": "s / iteration",
    "test_seconds": "s / test image",
}
UNSEEN = "semantic/uIoU"
RUN = Kind(
    "the figures of a run",
    lambda run: (
        isinstance(run, dict)
        and INTEGER.fits(run.get("seed"))
        and is_number(run.get(UNSEEN))
        and all(is_number(run[key]) for key in COLUMNS if key in run)
    ),
)
ROWS_OF_RUNS = Kind(
    "an object of lists with the runs of each row",
    lambda rows: isinstance(rows, dict) and all(map(list_of(RUN).fits, rows.values())),
)
SCALE = 1.5  # of the row without a training; on val better than 1 and 2


@dataclass(frozen=True, kw_only=True)
class BenchmarkOptions(ConfigOptions):
    """Options of this benchmark."""

    out: Path = option(flags=["-o"], help="folder of everything", metavar="DIR", writes="folder")
    data_root: str = option(
        "data/ovshapes", help="folder of the data; made if missing", metavar="DIR"
    )
    seeds: int = option(3, help="runs of a row, with the seeds 0, 1, ...", least=1)
    rows: tuple[str, ...] = option(
        (), metavar="ROW", help=f"some of: {', '.join(row.name for row in ROWS)} (default: all)"
    )
    subset: Literal["val", "test"] = option("test", help="images to test on")
    jobs: int = option(1, help="runs at a time", least=1)
    detectors: str | None = option(
        None, metavar="FILE", help="checkpoints of best_r18_shapes; {seed} stands for the seed"
    )
    oracle_detectors: str | None = option(
        None, metavar="FILE", help="those of its oracle, which this benchmark trains as best_oracle"
    )
    refined: Path | None = option(
        None, metavar="DIR", help="a teacher of `teacher refine`, without a gap"
    )
    known: Path | None = option(
        None, metavar="FILE", help="a segmentation.json, whose runs are taken over into the table"
    )
    report: bool = flag(help="train nothing, only write the table of what is there")


class SegmentationComparison(Comparison):
    """The runs of this benchmark, and its table.

    Args:
        options: of the benchmark.

    Raises:
        UserError: an unknown row, a detector that is not there, or see ``read_known``.
    """

    def __init__(self, options: BenchmarkOptions) -> None:
        given = {DETECTOR.name: options.detectors, DETECTOR_ORACLE.name: options.oracle_detectors}
        self.given = {name: pattern for name, pattern in given.items() if pattern}
        self.folder_of_table = options.out
        settings = CompareOptions(
            out=str(options.out),
            data_root=options.data_root,
            seeds=options.seeds,
            subset=options.subset,
            jobs=options.jobs,
            cfg_options=options.cfg_options,
        )
        chosen = chosen_rows(options.rows, options.refined)
        super().__init__(settings, trained_rows(chosen, self.given))
        self.free = [row for row in chosen if is_free(row)]
        if options.known:
            self.known = read_known(options.known, options.subset)
        for name in self.given:
            for seed in range(options.seeds):
                if not self.checkpoint(name, seed).is_file():
                    raise UserError(
                        f"no detector {self.checkpoint(name, seed)}; expected the checkpoint of "
                        f"{name} for each of {options.seeds} seeds"
                    )

    def checkpoint(self, row: str, seed: int) -> Path:
        """Return the checkpoint that a run leaves, or that was given."""
        if row in self.given:
            return Path(self.given[row].replace("{seed}", str(seed)))
        return super().checkpoint(row, seed)

    def config(self, row: Row) -> Config:
        """Return the config of a row, with the options of all its commands."""
        from ovdistill.models.config import load_config

        return load_config(row.config, read_overrides(self._options(row)))

    def is_done(self, row: Row, seed: int) -> bool:
        """Return True if there is a result, or if it is a detector that no run needs any more."""
        needing = [other for other in self.rows if other.starts_from == row.name]
        done = bool(needing) and all(self.is_done(other, seed) for other in needing)
        return done or super().is_done(row, seed)

    def report(self) -> None:
        """Write the table of what is there."""
        with self.writing:
            rows = [*ROWS, *refined_rows(None)]
            found = collect(self.out, self.options.subset, rows, self.known)
            add_way(found)
            write_json(
                self.folder_of_table / "segmentation.json",
                provenance(subset=self.options.subset, rows=found),
            )
            write_text(self.folder_of_table / "segmentation.md", table(found) + "\n")


def read_known(path: Path, subset: str) -> Runs:
    """Read the runs of an earlier segmentation.json.

    Args:
        path: the file.
        subset: 'val' or 'test': the file must have the same.

    Raises:
        UserError: no such file, a damaged one, or one of another subset.
    """
    found = read_json(path, "segmentation.json", hint="Expected one of this benchmark as --known.")
    content = found if isinstance(found, dict) else {}
    try:
        rows = expect(content, "rows", ROWS_OF_RUNS)
    except ValueError as error:
        raise UserError(
            f"--known {path} cannot be used: {error}; expected a segmentation.json of this "
            "benchmark"
        ) from None
    if content.get("subset") != subset:
        raise UserError(
            f"--known {path} has figures of {content.get('subset')!s:.60} images; expected "
            f"{subset} images, or name its subset with --subset"
        )
    return rows


def refined_rows(teacher: Path | None) -> list[Row]:
    """Return the rows whose dense teacher is refined.

    Args:
        teacher: its folder; None gives rows that can be shown, not run.
    """
    options: tuple[str, ...] = ()
    if teacher is not None:
        teacher = teacher.resolve()
        names = teacher.with_name(f"{teacher.name}_segmentation.safetensors")
        # a map of the teacher before does not fit it; it was refined at one and a half times the
        # size of the images
        options = (f"teacher.model={teacher}", "teacher.embedding_map=None")
        options += (f"vocabulary={names}",)
    scale = ("custom_hooks.0.scale=1.5",)
    return [
        replace(
            row,
            name=row.name + REFINED,
            title=f"{row.title}, refined teacher",
            options=row.options + options + (() if is_free(row) else scale),
        )
        for row in ROWS
        if row.name in DENSE_ROWS
    ]


def is_free(row: Row) -> bool:
    """Return whether nothing is trained for a row."""
    return row.name.removesuffix(REFINED) == TRAINING_FREE.name


def chosen_rows(names: Sequence[str], refined: Path | None) -> list[Row]:
    """Return the rows to run, without the detectors that they need.

    Args:
        names: of rows; none for all.
        refined: a teacher; None leaves out the rows that need it.

    Raises:
        UserError: there is no such row, or it needs a teacher.
    """
    rows = [*ROWS, *(refined_rows(refined) if refined else ())]
    known = [row.name for row in rows]
    if unknown := [name for name in names if name not in known]:
        without = "" if refined else " (those of a refined teacher need --refined)"
        raise UserError(f"got --rows {unknown[0]!r}; expected some of: {', '.join(known)}{without}")
    return [row for row in rows if not names or row.name in names]


def trained_rows(chosen: Sequence[Row], given: Mapping[str, str]) -> list[Row]:
    """Return the rows to train: those that are chosen, and the detectors that they need.

    Args:
        chosen: rows.
        given: detectors that need no training, by their rows.
    """
    rows = [row for row in chosen if not is_free(row)]
    needed = {row.starts_from for row in rows} - {*given}
    return [row for row in (DETECTOR, DETECTOR_ORACLE) if row.name in needed] + rows


def add_way(found: Runs) -> None:
    """Add to each run its share in percent of the way in unseen IoU from LSeg to the oracle.

    A run without LSeg or oracle of the same seed has none.

    Args:
        found: by the name of the row, the runs with ``seed`` and unseen IoU.
    """
    ends = [
        {run["seed"]: run[UNSEEN] for run in found.get(row.name, ())} for row in (LSEG, MASK_ORACLE)
    ]
    for run in (run for runs in found.values() for run in runs):
        start, end = (values.get(run["seed"]) for values in ends)
        if start is not None and end is not None and start != end:
            run["way"] = 100 * (run[UNSEEN] - start) / (end - start)


def table(found: Runs) -> str:
    """Return the table in Markdown: mean and standard deviation over the seeds."""
    known = {key for runs in found.values() for run in runs for key in run}
    shown = {key: name for key, name in COLUMNS.items() if key in known}
    rows = []
    for row in (*ROWS, *refined_rows(None)):
        if runs := found.get(row.name):
            rows.append([row.title, str(len(runs)), *(cell(runs, key) for key in shown)])
    return markdown_table(["method", "seeds", *shown.values()], rows)


def cell(runs: Sequence[Mapping[str, Any]], key: str) -> str:
    """Return mean and standard deviation of a figure over the runs that have it."""
    values = [run[key] for run in runs if key in run]
    if values and key in ("seconds", "test_seconds"):
        return f"{mean(values):.2f}"
    return mean_and_deviation(values)


def measure_training_free(comparison: SegmentationComparison, row: Row) -> None:
    """Compare every pixel of the test images with the names, by the dense teacher alone."""
    from mmdet.registry import DATASETS

    from ovdistill.segmentation.dense_teacher import DenseTeacher
    from ovdistill.segmentation.metrics.semantic import SemanticScores, count_pairs
    from ovdistill.segmentation.zero_shot import zero_shot_segmentation
    from ovdistill.teacher import build_teacher

    comparison.prepare(row)
    config = comparison.config(row)
    dataset = DATASETS.build(config[f"{comparison.options.subset}_dataloader"].dataset)
    teacher = DenseTeacher(build_teacher(config.teacher), SCALE)
    pairs = []
    start = time.perf_counter()
    for item in progress(dataset, total=len(dataset), title="training-free", unit="image"):
        rgb = item["inputs"].flip(0)  # images are loaded as BGR
        labels, _ = zero_shot_segmentation(teacher, rgb, dataset.vocabulary)
        truth = item["data_samples"].gt_sem_seg.sem_seg[0]
        pairs.append(count_pairs(truth.numpy(), labels.numpy()))
    seconds = (time.perf_counter() - start) / len(dataset)
    found = SemanticScores.of(pairs, dataset.metainfo["is_base"]).metrics()
    folder = comparison.folder(row.name, 0) / comparison.options.subset
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "provenance.json", provenance(seconds_per_image=seconds))
    write_json(folder / "metrics.json", {f"semantic/{key}": own for key, own in found.items()})


def main(options: BenchmarkOptions) -> None:
    """Make the runs that are missing, and write the table."""
    comparison = SegmentationComparison(options)
    failures = []
    if not options.report:
        for row in comparison.free:
            if not comparison.is_done(row, 0):
                measure_training_free(comparison, row)
        failures = comparison.run_all()
    comparison.report()
    print((options.out / "segmentation.md").read_text())
    if failures:
        raise UserError("some runs failed:\n  " + "\n  ".join(failures))


if __name__ == "__main__":
    run_options(main)
