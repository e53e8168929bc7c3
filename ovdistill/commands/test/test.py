"""Measure a detector: base and novel classes compete in one classifier (generalized protocol).

    ovdistill test vild_r18_shapes work_dirs/vild_r18_shapes/last.pth -o out

prints a table and writes metrics.json, metrics.md, per_category.json and provenance.json; with
--dump also detections.bbox.json and detections.segm.json, in the results format of COCO and LVIS.

    ovdistill test vild_r18_shapes --results detections.bbox.json -o out
    ovdistill test --results boxes.json masks.json --annotations lvis_v1_val.json -o out

score detections of any system in that format, without a detector.

    ovdistill test lseg_r50_voc --results label_maps -o out
    ovdistill test --results label_maps --label-maps SegmentationClass --label-table voc -o out

score a folder of label maps of any system, without a segmentor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovdistill.commands.processes import joined_processes
from ovdistill.commands.test.inputs import (
    TestOptions,
    check_files,
    instance_evaluator,
    testing_config,
)
from ovdistill.core.errors import UserError
from ovdistill.core.files import check_output_folder

if TYPE_CHECKING:
    from pathlib import Path

    from mmengine.config import Config
    from mmengine.runner import Runner
    from torch import nn


def test(options: TestOptions) -> None:
    """Test a checkpoint, or score results that are there, and write the figures.

    Raises:
        UserError: a missing file, or weights, a vocabulary or detections that do not fit.
    """
    check_files(options)
    check_output_folder(options.folder)
    if options.has_label_maps:
        from ovdistill.commands.test.score_label_maps import score_label_maps

        score_label_maps(options)
    elif options.results:
        from ovdistill.commands.test.score_results import score_results

        score_results(options)
    else:
        test_detector(options)


def test_detector(options: TestOptions) -> None:
    """Test a checkpoint and write the results.

    Raises:
        UserError: see ``test``.
    """
    options.set_local_rank()
    from mmengine.runner import Runner

    from ovdistill.commands.test.origin import add_proposal_recall
    from ovdistill.core.distributed import is_main_process, unwrapped
    from ovdistill.evaluation.report_page.segmentation_gallery import FOLDER as EXAMPLES
    from ovdistill.extraction.prepare import prepare
    from ovdistill.inference.draw_hook import DrawDetections, DrawLabelMaps
    from ovdistill.inference.example_label_maps import KeepExamples
    from ovdistill.inference.model_kind import is_segmentor
    from ovdistill.models.build import load_weights

    assert options.checkpoint is not None  # see ``check_files``
    out = options.folder
    config = testing_config(options, out)
    if not is_segmentor(config):
        instance_evaluator(config)  # raises where there is none, which a test of hours would find
    add_proposal_recall(config)
    with joined_processes(config, options.launcher):
        prepare(config, for_training=False)
        runner = Runner.from_cfg(config)
        model = unwrapped(runner.model)
        load_weights(model, options.checkpoint)
        if options.teacher_on_crops:
            add_crop_teacher(model, config)
        if options.show:
            drawing = DrawLabelMaps if is_segmentor(config) else DrawDetections
            runner.register_hook(drawing(out / "images", options.show))
        if options.dump and is_segmentor(config):
            runner.register_hook(KeepExamples(out / EXAMPLES))
        metrics = runner.test()
        if is_main_process():
            write_results(options, out, config, runner, metrics)


def add_crop_teacher(model: nn.Module, config: Config) -> None:
    """Let the config's teacher classify every box too.

    Raises:
        UserError: a detector without an RoI head, or see ``set_crop_teacher``.
    """
    from ovdistill.models.open_vocabulary_rcnn import OpenVocabularyRCNN
    from ovdistill.models.teacher_on_crops import TeacherOnCrops
    from ovdistill.teacher import build_teacher

    if not isinstance(model, OpenVocabularyRCNN):
        raise UserError(
            f"--teacher-on-crops needs a two-stage detector; {config.filename} has none."
        )
    teacher = build_teacher(config.teacher, next(model.parameters()).device)
    model.set_crop_teacher(TeacherOnCrops(teacher))


def write_results(
    options: TestOptions, out: Path, config: Config, runner: Runner, metrics: dict[str, float]
) -> None:
    """Write metrics and their provenance, and print them as a table.

    Args:
        options: of the command.
        out: folder to write.
        config: as it was tested.
        runner: after its test loop.
        metrics: figures by name.
    """
    assert options.checkpoint is not None  # see ``check_files``
    from ovdistill.commands.test.origin import test_origin
    from ovdistill.commands.test.segmentor import write_segmentation
    from ovdistill.core.provenance import provenance
    from ovdistill.evaluation.ov_metric import OVMetric
    from ovdistill.evaluation.report import print_table, write_report
    from ovdistill.inference.model_kind import is_segmentor

    if is_segmentor(config):
        write_segmentation(options, out, config, runner, metrics)
        return
    (metric,) = (m for m in runner.test_evaluator.metrics if isinstance(m, OVMetric))
    origin = provenance(
        config=options.config,
        checkpoint=options.checkpoint,
        vocabulary=config.vocabulary,
        evaluator=metric.evaluator_version,
        subset=options.subset,
        ann_file=metric.ann_file,
        teacher_on_crops=options.teacher_on_crops,
        **test_origin(config, options.checkpoint, runner, metric),
    )
    path = write_report(out, metrics, origin, metric.per_category)
    print_table(metrics, title=f"{options.checkpoint}, {options.subset} images")
    print(f"wrote {path}")
