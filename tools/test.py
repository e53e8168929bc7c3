"""Tests a checkpoint: base and novel words compete in one classifier (generalized protocol)."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from mmengine.config import Config, DictAction

from ovdistill.arguments import add_offline_argument
from ovdistill.build import load_config, load_weights
from ovdistill.errors import UserError, run_tool
from ovdistill.evaluation import report

if TYPE_CHECKING:
    from mmengine.runner import Runner


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Novel-class AP of a trained detector.")
    parser.add_argument("config", help="config file, such as configs/vild_r18_shapes.py")
    parser.add_argument("checkpoint", help=".pth or .safetensors")
    parser.add_argument("-o", "--out", help="folder of metrics.json; CHECKPOINT's by default")
    parser.add_argument("--vocabulary", help="vocabulary file in place of the config's")
    parser.add_argument("--split", choices=["val", "test"], default="test", help="which pictures")
    parser.add_argument(
        "--teacher-on-crops",
        action="store_true",
        help="name every box with the config's teacher too: slow, and no part of the detector",
    )
    parser.add_argument("--show", type=int, default=0, metavar="N", help="draw N pictures")
    parser.add_argument(
        "--launcher", choices=["none", "pytorch", "slurm", "mpi"], default="none", help="as mmdet's"
    )
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0)
    add_offline_argument(parser)
    parser.add_argument("--cfg-options", nargs="+", action=DictAction, help="overrides, key=value")
    args = parser.parse_args()
    os.environ.setdefault("LOCAL_RANK", str(args.local_rank))
    return args


def read_config(args: argparse.Namespace) -> Config:
    """The config with the command's choices in it."""
    options = dict(args.cfg_options or {})
    if args.vocabulary:
        if not Path(args.vocabulary).is_file():
            raise UserError(f"got --vocabulary {args.vocabulary}; there is no such file.")
        options["vocabulary"] = args.vocabulary
    config = load_config(args.config, options)
    if not config.get(f"{args.split}_evaluator"):
        raise UserError(
            f"{args.config} evaluates no {args.split} pictures ({args.split}_evaluator). Give the "
            "other --split; `ovdistill init-dataset` takes pictures to evaluate on with --val."
        )
    if args.split == "val":
        config.test_dataloader = config.val_dataloader
        config.test_evaluator = config.val_evaluator
    config.launcher = args.launcher
    config.work_dir = str(args.out)
    config.load_from = None
    # mmengine builds the training part too if it is there
    for key in ("train_dataloader", "train_cfg", "optim_wrapper", "param_scheduler"):
        config[key] = None
    for key in ("val_dataloader", "val_cfg", "val_evaluator"):
        config[key] = None
    return config


def seconds_per_picture(runner: Runner) -> float:
    """Mean time of the test loop for a picture on one rank, loading included, metrics not."""
    batches = runner.message_hub.get_scalar("test/time").mean(None)
    return float(batches) * len(runner.test_dataloader) / len(runner.test_dataloader.dataset)


def main() -> None:
    args = parse_args()
    if args.show < 0:
        raise UserError(f"got --show {args.show}; expected a number of pictures.")
    args.out = Path(args.out or Path(args.checkpoint).parent / "test")
    config = read_config(args)

    from mmengine import dist
    from mmengine.runner import Runner

    from ovdistill.evaluation.show import DrawDetections
    from ovdistill.inference.teacher_on_crops import TeacherOnCrops
    from ovdistill.prepare import prepare
    from ovdistill.processes import init_processes
    from ovdistill.teacher import build_teacher

    init_processes(config, args.launcher)
    prepare(config, for_training=False)
    runner = Runner.from_cfg(config)
    model = getattr(runner.model, "module", runner.model)
    load_weights(model, args.checkpoint)
    if args.teacher_on_crops:
        if not hasattr(model, "set_crop_teacher"):
            raise UserError(
                f"--teacher-on-crops needs a two-stage detector; {args.config} has none."
            )
        teacher = build_teacher(config.teacher, next(model.parameters()).device)
        model.set_crop_teacher(TeacherOnCrops(teacher, model.data_preprocessor))
    if args.show:
        runner.register_hook(DrawDetections(args.out / "pictures", args.show))
    metrics = runner.test()
    if not dist.is_main_process():
        return
    (metric,) = (m for m in runner.test_evaluator.metrics if hasattr(m, "evaluator_version"))
    origin = report.provenance(
        config=args.config,
        checkpoint=args.checkpoint,
        vocabulary=config.vocabulary,
        evaluator=metric.evaluator_version,
        split=args.split,
        ann_file=metric.ann_file,
        teacher_on_crops=args.teacher_on_crops,
        seconds_per_picture=seconds_per_picture(runner),
    )
    path = report.write_report(args.out, metrics, origin, metric.per_category)
    report.show(metrics, title=f"{args.checkpoint}, {args.split} pictures")
    print(f"wrote {path}")


if __name__ == "__main__":
    run_tool(main)
