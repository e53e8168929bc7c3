"""What `ovdistill test` does for a segmentor: it writes and prints figures of label maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ovdistill.commands.test.inputs import TestOptions

if TYPE_CHECKING:
    from pathlib import Path

    from mmengine.config import Config
    from mmengine.runner import Runner

    from ovdistill.segmentation.metrics.semantic import PixelPairs


def write_segmentation(
    options: TestOptions, out: Path, config: Config, runner: Runner, metrics: dict[str, float]
) -> None:
    """Write metrics.json, metrics.md, per_category.json and provenance.json, and print a table.

    For `ovdistill report` pixel_pairs.json says which class names pixels have, and which they get.

    Args:
        options: of the command, with a checkpoint.
        out: folder to write.
        config: as it was tested.
        runner: after its test loop.
        metrics: figures by name.
    """
    from ovdistill.commands.test.origin import run_origin
    from ovdistill.core.provenance import provenance
    from ovdistill.evaluation.report_page.segmentation_gallery import remove_examples
    from ovdistill.segmentation.metrics.panoptic_metric import PanopticMetric
    from ovdistill.segmentation.metrics.semantic_metric import SegmentationMetric

    assert options.checkpoint is not None  # see ``check_files``
    dataset = runner.test_dataloader.dataset
    origin = provenance(
        config=options.config,
        checkpoint=options.checkpoint,
        vocabulary=config.vocabulary,
        subset=options.subset,
        ann_file=dataset.ann_file or None,
        images=dataset.data_prefix.get("img_path"),
        **run_origin(config, options.checkpoint, runner, dataset.ann_file),
    )
    per_category = [
        dict(kind=metric.default_prefix, **record)
        for metric in runner.test_evaluator.metrics
        if isinstance(metric, SegmentationMetric | PanopticMetric)  # not one of the user's own
        for record in metric.per_category
    ]
    write_pixel_pairs(out, runner)
    if not options.dump:
        remove_examples(out)  # of another run, which the report would show
    report_segmentation(out, metrics, per_category, origin)


def report_segmentation(
    out: Path,
    metrics: Mapping[str, float],
    per_category: Sequence[Mapping[str, Any]],
    origin: Mapping[str, Any],
) -> None:
    """Write figures of label maps and where they come from, and print a table.

    Args:
        out: folder to write.
        metrics: figures by flat key, such as "semantic/mIoU".
        per_category: a record for each class, with its ``kind``.
        origin: see ``core.provenance``.
    """
    from ovdistill.evaluation.report import write_report
    from ovdistill.segmentation.metrics.tables import summary_tables

    tables = summary_tables(metrics)
    text = "\n\n".join(table.markdown() for table in tables) + "\n"
    path = write_report(out, metrics, origin, per_category, text)
    for table in tables:
        table.show()
    print(f"wrote {path}")


def write_pixel_pairs(out: Path, runner: Runner) -> None:
    """Write how often pixels of each class name got each one, if label maps were tested.

    Args:
        out: folder to write.
        runner: after its test loop.
    """
    from ovdistill.segmentation.metrics.semantic_metric import SegmentationMetric

    for metric in runner.test_evaluator.metrics:
        if isinstance(metric, SegmentationMetric) and metric.pairs is not None:
            write_pairs(out, metric.pairs, len(runner.test_dataloader.dataset))


def write_pairs(out: Path, pairs: PixelPairs, images: int) -> None:
    """Write pixel_pairs.json.

    Args:
        out: folder to write.
        pairs: of all images together.
        images: their number.
    """
    from ovdistill.core.files import write_json
    from ovdistill.evaluation.analysis.segmentation_run import PAIRS

    rows = zip(pairs.truth.tolist(), pairs.predicted.tolist(), pairs.count.tolist(), strict=True)
    write_json(out / PAIRS, {"images": images, "pairs": [*map(list, rows)]})
