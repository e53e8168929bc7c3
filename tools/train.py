"""Trains a config: prepares what it needs, then runs mmengine's runner."""

from __future__ import annotations

import argparse
import os
import os.path as osp
from collections.abc import Mapping
from pathlib import Path
from urllib.error import URLError

import torch
from mmengine.config import Config, DictAction
from mmengine.runner.checkpoint import get_torchvision_models

from ovdistill.arguments import add_offline_argument
from ovdistill.build import last_checkpoint, load_config
from ovdistill.errors import UserError, run_tool
from ovdistill.teacher.weights import offline


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train an open-vocabulary detector.")
    parser.add_argument("config", help="config file, such as configs/vild_r18_shapes.py")
    parser.add_argument("--work-dir", help="logs and checkpoints; work_dirs/CONFIG by default")
    parser.add_argument(
        "--resume",
        nargs="?",
        const="auto",
        help="go on from a checkpoint; without a path, from the last one in the work dir",
    )
    parser.add_argument(
        "--auto-scale-lr", action="store_true", help="scale the learning rate by the batch size"
    )
    parser.add_argument("--amp", action="store_true", help="automatic mixed precision")
    parser.add_argument("--seed", type=int, default=0, help="of weights and samplers")
    parser.add_argument("--deterministic", action="store_true", help="deterministic algorithms")
    parser.add_argument("--prepare-only", action="store_true", help="stop before training")
    parser.add_argument(
        "--launcher", choices=["none", "pytorch", "slurm", "mpi"], default="none", help="as mmdet's"
    )
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0)
    add_offline_argument(parser)
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=DictAction,
        help="overrides, as key=value; data_root, split and other placeholders move with them",
    )
    args = parser.parse_args()
    os.environ.setdefault("LOCAL_RANK", str(args.local_rank))
    return args


def main() -> None:
    args = parse_args()
    config = load_config(args.config, args.cfg_options)
    if config.get("train_cfg") is None:
        raise UserError(
            f"{args.config} trains nothing: it tests a detector of another config, with "
            f"`python tools/test.py {args.config} CHECKPOINT`."
        )

    from mmengine import dist
    from mmengine.runner import Runner

    from ovdistill.prepare import prepare
    from ovdistill.processes import init_processes

    config.launcher = args.launcher
    config.work_dir = args.work_dir or config.get(
        "work_dir", osp.join("work_dirs", Path(args.config).stem)
    )
    config.randomness = dict(seed=args.seed, deterministic=args.deterministic)
    if args.amp:
        config.optim_wrapper.type = "AmpOptimWrapper"
        config.optim_wrapper.setdefault("loss_scale", "dynamic")
    if args.auto_scale_lr:
        if "auto_scale_lr" not in config:
            raise UserError(f"got --auto-scale-lr; {args.config} names no base_batch_size for it.")
        config.auto_scale_lr.enable = True
    if args.resume:
        resume(config, args.resume)

    init_processes(config, args.launcher)
    prepare(config)
    if args.prepare_only:
        return
    check_initial_weights(config)
    runner = Runner.from_cfg(config)
    try:
        runner.train()
    except URLError as error:
        parts = pretrained_parts(config.model, "model")
        raise UserError(
            f"the initial weights {', '.join(sorted(set(parts.values())))} cannot be fetched "
            f"({error.reason}). Name a local file with --cfg-options "
            f"{' '.join(f'{key}.checkpoint=PATH' for key in parts)}, or start from scratch with "
            f"{' '.join(f'{key}=None' for key in parts)}."
        ) from None
    if dist.is_main_process():
        link_last(last_checkpoint(config.work_dir))


def pretrained_parts(config: Mapping, key: str) -> dict[str, str]:
    """The dotted keys of every ``init_cfg`` that names weights, and what it names."""
    parts = {}
    for name, value in config.items():
        if name == "init_cfg" and isinstance(value, Mapping) and "checkpoint" in value:
            parts[f"{key}.{name}"] = value["checkpoint"]
        elif isinstance(value, Mapping):
            parts |= pretrained_parts(value, f"{key}.{name}")
    return parts


def check_initial_weights(config: Config) -> None:
    """Raises UserError where initial weights are not there and will not be fetched."""
    path = config.get("load_from")
    if path and "://" not in path and not osp.isfile(path):
        raise UserError(
            f"no initial weights {path}. {Path(config.filename).name} starts from them: run the "
            "training that makes them (its docstring says which), or name others with "
            "--cfg-options load_from=PATH."
        )
    for key, name in pretrained_parts(config.get("model", {}), "model").items():
        if offline() and "://" in name and not is_cached(name):
            raise UserError(
                f"the initial weights {name} are not in the cache and downloads are switched off. "
                f"Name a local file with --cfg-options {key}.checkpoint=PATH, or start from "
                f"scratch with {key}=None."
            )


def is_cached(name: str) -> bool:
    """Whether torch's hub has fetched these weights before ('torchvision://resnet50' or a URL)."""
    if name.startswith("torchvision://"):
        name = get_torchvision_models()[name.removeprefix("torchvision://")]
    return Path(torch.hub.get_dir(), "checkpoints", name.rsplit("/", 1)[-1]).is_file()


def resume(config: Config, checkpoint: str) -> None:
    """Goes on from a checkpoint; 'auto' takes the last one of the work dir, or begins.

    mmengine would take ``load_from``, the initial weights of a fresh run, for the run to go on.
    """
    if checkpoint == "auto":
        if not osp.isfile(osp.join(config.work_dir, "last_checkpoint")):
            return
        checkpoint = str(last_checkpoint(config.work_dir))
    if not osp.isfile(checkpoint):
        raise UserError(f"got --resume {checkpoint}; there is no such checkpoint.")
    config.load_from = checkpoint
    config.resume = True


def link_last(checkpoint: Path) -> None:
    """Lets ``last.pth`` name the newest checkpoint, so that commands need no iteration number."""
    link = checkpoint.with_name("last.pth.tmp")
    link.unlink(missing_ok=True)
    link.symlink_to(checkpoint.name)
    link.replace(checkpoint.with_name("last.pth"))


if __name__ == "__main__":
    run_tool(main)
