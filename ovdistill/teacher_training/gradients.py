"""The gradients of a batch: at once, or in parts where it does not fit into memory.

In parts (gradient caching, Gao et al., arXiv 2101.06983) the whole batch is embedded without a
graph first. The objectives of embeddings give the gradient of each embedding; then each part is
embedded again, with a graph, and passes its share of it on. The result is that of the whole batch,
except where a tower normalises by the statistics of what it is given (batch norm): these are then
of a part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn

from ovdistill.core.distributed import get_world_size, is_initialized
from ovdistill.teacher_training.batch import PairEmbeddings, TrainingBatch
from ovdistill.teacher_training.objective import EmbeddingObjective, Objective, TowerObjective
from ovdistill.teacher_training.open_clip_towers import OpenCLIPTowers
from ovdistill.teacher_training.parts import split_batch

EMBEDDED = ("images", "texts", "views")
Embedded = dict[str, Tensor]  # (N, D) by a name of ``EMBEDDED``
Losses = dict[str, Tensor]


class GradientComputer:
    """Computes the losses of a batch, and adds their gradients to those of the weights.

    Args:
        towers: that are trained.
        objectives: with their weights.
        part: pairs to encode at once; None: the whole batch.
        precision: of the towers, 'fp32' or 'bf16'.
    """

    def __init__(
        self,
        towers: OpenCLIPTowers,
        objectives: Sequence[Objective],
        part: int | None = None,
        precision: str = "fp32",
    ) -> None:
        self.towers, self.part, self.bf16 = towers, part, precision == "bf16"
        self.of_embeddings = [o for o in objectives if isinstance(o, EmbeddingObjective)]
        self.of_towers = [o for o in objectives if isinstance(o, TowerObjective)]
        needs = {name for objective in self.of_embeddings for name in objective.needs}
        self.embedded: list[str] = [name for name in EMBEDDED if name in needs]
        of_images = [o.hides_images for o in objectives if {"images", "views"} & {*o.needs}]
        self.shows_no_whole = bool(batch_norms(towers)) and bool(of_images) and all(of_images)

    def __call__(self, batch: TrainingBatch) -> Losses:
        """Add the gradients of a batch of this rank.

        Returns:
            The losses by name, without weights and without a graph.
        """
        if self.part is None or self.part >= len(batch.images):
            return self._at_once(batch)
        return self._in_parts(split_batch(batch, self.part), batch.labels)

    def _at_once(self, batch: TrainingBatch) -> Losses:
        losses: Losses = {}
        total = self._tower_loss(batch, losses)
        if self.of_embeddings:
            total = total + self._embedding_loss(self._embed(batch), batch.labels, losses)
        total.backward()
        return losses

    def _in_parts(self, parts: Sequence[TrainingBatch], labels: Tensor) -> Losses:
        losses: Losses = {}
        # dropout and the like: the same in both passes
        seeds = torch.randint(2**62, (len(parts),)).tolist()
        gradients = [Embedded()] * len(parts)
        if self.of_embeddings:
            with torch.no_grad(), fixed_statistics(self.towers):
                first = [self._embed(p, seed) for p, seed in zip(parts, seeds, strict=True)]
            whole: Embedded = {
                name: torch.cat([part[name] for part in first]).requires_grad_()
                for name in self.embedded
            }
            self._embedding_loss(whole, labels, losses).backward()
            gradients = self._split_gradients(whole, len(parts))
        for part, gradient, seed in zip(parts, gradients, seeds, strict=True):
            self._add_part(part, gradient, seed, len(parts), losses)
        return losses

    def _add_part(
        self, part: TrainingBatch, gradient: Embedded, seed: int, count: int, losses: Losses
    ) -> None:
        """Add the gradients that a part passes on, and those of the objectives of towers."""
        embedded = self._embed(part, seed) if gradient else {}
        own: Losses = {}
        total = self._tower_loss(part, own) / count
        for name, value in gradient.items():
            total = total + (embedded[name] * value).sum()
        if total.requires_grad:
            total.backward()
        for name, loss in own.items():
            losses[name] = losses.get(name, 0) + loss / count

    def _split_gradients(self, whole: Embedded, count: int) -> list[Embedded]:
        """Return the gradients of the embeddings of each part; of those that have one."""
        split = {
            name: value.grad.chunk(count) for name, value in whole.items() if value.grad is not None
        }
        return [{name: parts[i] for name, parts in split.items()} for i in range(count)]

    def _embed(self, batch: TrainingBatch, seed: int | None = None) -> Embedded:
        """Return the embeddings that the objectives need."""
        if seed is not None:
            torch.manual_seed(seed)
        found: Embedded = {}
        with self._autocast():
            for name in self.embedded:
                if name == "texts":
                    found[name] = self.towers.encode_texts(batch.tokens)
                else:
                    found[name] = self.towers.encode_images(getattr(batch, name))
        return found

    def _embedding_loss(self, embedded: Embedded, labels: Tensor, losses: Losses) -> Tensor:
        """Return the weighted sum of the objectives of embeddings; note each loss."""
        pairs = PairEmbeddings(
            images=embedded.get("images"),
            texts=embedded.get("texts"),
            views=embedded.get("views"),
            labels=labels,
            scale=self.towers.scale,
        )
        found = [(objective.weight, objective(pairs)) for objective in self.of_embeddings]
        return _weighted_sum(found, losses, self.towers.device)

    def _tower_loss(self, batch: TrainingBatch, losses: Losses) -> Tensor:
        """Return the weighted sum of the objectives of towers, 0 without; note each loss."""
        found = []
        with self._autocast():
            for o in self.of_towers:
                with fixed_statistics(self.towers) if o.hides_images else nullcontext():
                    found.append((o.weight, o(batch, self.towers)))
        if self.shows_no_whole:
            with torch.no_grad(), self._autocast():
                self.towers.encode_images(batch.images)  # for the running statistics alone
        return _weighted_sum(found, losses, self.towers.device)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.towers.device.type, torch.bfloat16, enabled=self.bf16)


def _weighted_sum(
    found: Sequence[tuple[float, Losses]], losses: Losses, device: torch.device
) -> Tensor:
    """Return the sum of losses times weights, 0 without any; add each loss to ``losses``."""
    total = torch.zeros((), device=device)
    for weight, own in found:
        for name, loss in own.items():
            total = total + weight * loss
            losses[name] = losses.get(name, 0) + loss.detach()
    return total


@contextmanager
def fixed_statistics(module: nn.Module) -> Iterator[None]:
    """Keep the running statistics of batch norm as they are, in a block of training mode."""
    norms = batch_norms(module)
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True


def batch_norms(module: nn.Module) -> list[nn.modules.batchnorm._BatchNorm]:
    """Return the layers of a module that have running statistics."""
    return [
        each
        for each in module.modules()
        if isinstance(each, nn.modules.batchnorm._BatchNorm) and each.track_running_stats
    ]


def average_gradients(parameters: Sequence[nn.Parameter]) -> None:
    """Replace the gradients of this rank by their mean over the ranks.

    A weight that has a gradient on one of them has one on all of them afterwards.
    """
    if not is_initialized():
        return
    used = torch.tensor([p.grad is not None for p in parameters], dtype=torch.uint8)
    used = used.to(parameters[0].device)
    torch.distributed.all_reduce(used, torch.distributed.ReduceOp.MAX)
    chosen = [p for p, flag in zip(parameters, used.tolist(), strict=True) if flag]
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in chosen]
    joined = torch.cat([gradient.reshape(-1) for gradient in gradients])
    torch.distributed.all_reduce(joined)
    joined /= get_world_size()
    sizes = [p.numel() for p in chosen]
    for parameter, gradient, mean in zip(chosen, gradients, joined.split(sizes), strict=True):
        parameter.grad = gradient.copy_(mean.view(parameter.shape))
