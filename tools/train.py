"""Trains a config: prepares what it needs, then runs mmengine's runner."""

from __future__ import annotations

import argparse
import os
import os.path as osp
from pathlib import Path

from mmengine.config import DictAction

from ovdistill.build import load_config
from ovdistill.errors import UserError, run_tool


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
    parser.add_argument("--amp", action="store_true", help="automatic mixed precision")
    parser.add_argument("--seed", type=int, default=0, help="of weights and samplers")
    parser.add_argument("--deterministic", action="store_true", help="deterministic algorithms")
    parser.add_argument("--prepare-only", action="store_true", help="stop before training")
    parser.add_argument(
        "--launcher", choices=["none", "pytorch", "slurm", "mpi"], default="none", help="as mmdet's"
    )
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0)
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

    from mmengine import dist
    from mmengine.runner import Runner

    from ovdistill.prepare import prepare

    config.launcher = args.launcher
    config.work_dir = args.work_dir or config.get(
        "work_dir", osp.join("work_dirs", Path(args.config).stem)
    )
    config.randomness = dict(seed=args.seed, deterministic=args.deterministic)
    if args.amp:
        config.optim_wrapper.type = "AmpOptimWrapper"
        config.optim_wrapper.setdefault("loss_scale", "dynamic")
    if args.resume:
        config.resume = True
        if args.resume != "auto":
            if not osp.isfile(args.resume):
                raise UserError(f"got --resume {args.resume}; there is no such checkpoint.")
            config.load_from = args.resume

    if args.launcher != "none":
        dist.init_dist(args.launcher, **config.env_cfg.get("dist_cfg", {}))
    if dist.is_main_process():
        prepare(config)
    dist.barrier()
    if args.prepare_only:
        return
    runner = Runner.from_cfg(config)
    runner.train()
    if dist.is_main_process():
        last = Path(config.work_dir) / "last_checkpoint"
        link_last(Path(config.work_dir), Path(last.read_text().strip()))


def link_last(work_dir: Path, checkpoint: Path) -> None:
    """Lets ``last.pth`` name the newest checkpoint, so that commands need no iteration number."""
    link = work_dir / "last.pth.tmp"
    link.unlink(missing_ok=True)
    link.symlink_to(checkpoint.name)
    link.replace(work_dir / "last.pth")


if __name__ == "__main__":
    run_tool(main)
