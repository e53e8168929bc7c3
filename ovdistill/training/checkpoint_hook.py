"""The hook that writes checkpoints: whole or not at all, and with all that a resumed run needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.dist import gather_object
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.registry import HOOKS
from torch.utils.data import DataLoader

from ovdistill.core.checkpoints import non_finite
from ovdistill.core.distributed import get_rank, get_world_size, is_main_process, unwrapped
from ovdistill.core.errors import UserError
from ovdistill.core.files import atomic_link, write_bytes, write_text
from ovdistill.models.build import is_of_terms
from ovdistill.models.checkpoint_content import to_plain
from ovdistill.models.fitting_weights import count_fitting
from ovdistill.models.teacher_mark import MARK
from ovdistill.training.draws import numbered_sampler
from ovdistill.training.generators import States, generator_states
from ovdistill.training.optim_wrappers import DivergedError

BACKEND = "ovdistill"  # name of the storage below
GENERATORS = "generators"  # key of a checkpoint: the states of each rank's generators
LAST, NOTE = "last.pth", "last_checkpoint"


class AtomicBackend(LocalBackend):
    """mmengine's storage on disk, which writes a file complete or not at all."""

    def put(self, obj: Any, filepath: Any) -> None:
        """Write bytes to a file; see ``core.files.write_bytes``."""
        write_bytes(filepath, obj)


register_backend(BACKEND, AtomicBackend, force=True)


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """mmengine's ``CheckpointHook`` with checkpoints that can be trusted.

    - A checkpoint is written under a temporary name and renamed; older ones, or the former best,
      are deleted after that. So a run that is killed, or whose disk is full, keeps its good ones.
    - It holds tensors and plain data only, and the states of the random generators.
    - Weights with NaN or infinite numbers are not written.
    - ``last.pth`` links to the newest one from the first on.
    - Weights to start from must fit, and bring no count of steps: a new training begins at its
      first.

    Args:
        min_fitting: the share of the tensors of ``load_from`` that must have a name and a shape of
            the network.
        **kwargs: as for ``CheckpointHook``.

    Raises:
        DivergedError: weights that are not finite.
        UserError: fewer of the weights of ``load_from`` fit; the disk is full.
    """

    best_ckpt_path: str | None  # of one metric
    best_ckpt_path_dict: dict[str, str | None]  # of several

    def __init__(self, *args: Any, min_fitting: float = 0.5, **kwargs: Any) -> None:
        kwargs.setdefault("backend_args", dict(backend=BACKEND))
        super().__init__(*args, **kwargs)
        self.min_fitting = min_fitting
        self._states: list[States] | None = None

    def before_train(self, runner: Any) -> None:
        """Find out where checkpoints go, and which are there."""
        super().before_train(runner)
        # a path from a checkpoint would be deleted when there is a better one
        if best := getattr(self, "best_ckpt_path", None):
            self.best_ckpt_path = str(Path(self.out_dir, Path(best).name))
        for key, best in getattr(self, "best_ckpt_path_dict", {}).items():
            self.best_ckpt_path_dict[key] = best and str(Path(self.out_dir, Path(best).name))

    def after_load_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Check that weights fit; or keep the states of the generators for a run that goes on."""
        if not runner.cfg.get("resume"):
            self._check_fitting(runner, checkpoint)
            _drop_steps(checkpoint)
            return
        self._check_same(runner, checkpoint)
        if problem := _enter_draws(runner.train_dataloader, checkpoint.get(GENERATORS)):
            runner.logger.warning(
                "%s: the run goes on from the same weights, but is not the run that it would have "
                "been without interruption",
                problem,
            )

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Complete a checkpoint, and make it plain data."""
        if bad := non_finite(checkpoint["state_dict"]):
            raise DivergedError(
                f"no checkpoint was written at iteration {runner.iter + 1}: NaN or infinite "
                f"numbers in {len(bad)} tensors of the weights (the first: {bad[0]}). The earlier "
                f"ones in {self.out_dir} are as they were. Try a lower learning rate."
            )
        if self._states is not None:
            checkpoint[GENERATORS] = self._states
        plain = to_plain(checkpoint)
        checkpoint.clear()
        checkpoint.update(plain)

    def _save_checkpoint_with_step(self, runner: Any, step: int, meta: dict[str, Any]) -> None:
        """Write a checkpoint, then note it, then delete those that are too many."""
        self._states = gather_object(generator_states())
        name = self.filename_tmpl.format(step)
        self.last_ckpt = str(Path(self.out_dir, name))
        surplus = self._add(runner, step)
        runner.message_hub.update_info("last_ckpt", self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir,
            name,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        self._states = None
        if is_main_process():
            write_text(Path(runner.work_dir, NOTE), self.last_ckpt)
            atomic_link(Path(self.out_dir, LAST), name)
            for number in surplus:
                Path(self.out_dir, self.filename_tmpl.format(number)).unlink(missing_ok=True)

    def _save_best_checkpoint(self, runner: Any, metrics: dict[str, float]) -> None:
        """Write a checkpoint that is better than all before; then delete the former best."""
        if not self.save_best:
            return
        former = self._best_paths()
        self._set_best_paths(dict.fromkeys(former))  # mmengine deletes those before it writes
        super()._save_best_checkpoint(runner, metrics)
        best = {key: path or former[key] for key, path in self._best_paths().items()}
        self._set_best_paths(best)
        if is_main_process():
            for path in filter(None, set(former.values()) - set(best.values())):
                Path(path).unlink(missing_ok=True)

    def _best_paths(self) -> dict[str, str | None]:
        """Return the paths of the best checkpoints by metric."""
        if len(self.key_indicators) == 1:
            return {"": self.best_ckpt_path}  # save_best="auto" finds its metric's name later
        return dict(self.best_ckpt_path_dict)

    def _set_best_paths(self, paths: dict[str, str | None]) -> None:
        if len(self.key_indicators) == 1:
            self.best_ckpt_path = paths[""]
        else:
            self.best_ckpt_path_dict = paths

    def _add(self, runner: Any, step: int) -> list[int]:
        """Add a checkpoint to those that are kept; return the numbers of the surplus ones."""
        if self.max_keep_ckpts <= 0:
            return []
        numbers = [*(number for number in self.keep_ckpt_ids if number != step), step]
        self.keep_ckpt_ids.extend(numbers)  # keeps the last ones
        runner.message_hub.update_info("keep_ckpt_ids", list(self.keep_ckpt_ids))
        return [number for number in numbers if number not in self.keep_ckpt_ids]

    def _check_same(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Raise UserError if a run would go on with weights that are not those of its network."""
        own = unwrapped(runner.model).state_dict()
        weights = checkpoint.get("state_dict", {})
        # a mark checks itself, and earlier versions had none
        names = [name for name in own if not name.endswith(MARK)]
        missing = [n for n in names if n not in weights or weights[n].shape != own[n].shape]
        if missing:
            raise UserError(
                f"cannot continue from {runner.cfg.load_from}: {len(missing)} of {len(names)} "
                f"tensors of the network of this config are not in it (the first: {missing[0]}). "
                "Name the config that it was trained with, or start a new training from its "
                "weights with --load-from PATH."
            )

    def _check_fitting(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Raise UserError if too few of the weights to start from fit the network."""
        weights = checkpoint.get("state_dict", checkpoint)
        model = unwrapped(runner.model)
        fitting = count_fitting(model.state_dict(), weights)
        if fitting < max(1, self.min_fitting * len(weights)):
            raise UserError(
                f"{fitting} of the {len(weights)} tensors of {runner.cfg.load_from} fit the "
                f"network of this config; expected at least {self.min_fitting:.0%}. Name others "
                "with --load-from PATH, start from scratch with --cfg-options load_from=None, or "
                "accept less with default_hooks.checkpoint.min_fitting=SHARE."
            )
        runner.logger.info("%d of %d tensors to start from fit", fitting, len(weights))


def _enter_draws(loader: DataLoader, states: Any) -> str:
    """Let a data loader start with the generators' states of this rank; return why not, or ""."""
    ranks = len(states) if isinstance(states, list) else 0
    if ranks != get_world_size():
        return (
            f"the checkpoint has the generators of {ranks} ranks, this run has {get_world_size()}"
        )
    sampler = numbered_sampler(loader)
    if sampler is None:
        return (
            "the images' sampler cannot be entered where it was left (expected an InfiniteSampler, "
            "or a DefaultSampler with shuffle=True)"
        )
    sampler.states = states[get_rank()]
    return ""


def _drop_steps(checkpoint: dict[str, Any]) -> None:
    """Leave out the steps that distillation terms have counted, so that their schedules begin.

    They are the whole numbers among the terms' entries. What terms have learned or measured is
    kept: weights, biases, running histograms.
    """
    weights = checkpoint.get("state_dict", checkpoint)
    for name in [name for name in weights if is_of_terms(name)]:
        if not weights[name].is_floating_point():
            del weights[name]
