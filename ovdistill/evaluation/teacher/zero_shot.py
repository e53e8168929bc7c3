"""Zero-shot classification: how often the name nearest to a true box is its own.

Base and novel names compete together (generalized); beside it novel objects among novel names
alone, which says what the base names cost them.

Shapes: n objects of a batch, P objects of all, W class names, D embedding width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ovdistill.evaluation.ranks import own_ranks
from ovdistill.evaluation.teacher.shares import Share, share_of

MOST_CONFUSIONS = 50  # in the result, the most frequent ones


@dataclass(frozen=True)
class TopShares:
    """How often the right name is the nearest, and among the nearest five.

    Attributes:
        top1: share of the objects.
        top5: share of the objects.
        class_mean: top-1 share of each class, averaged over the classes that have objects; None
            without one. Frequent classes count no more than rare ones, as in AP.
    """

    top1: Share
    top5: Share
    class_mean: float | None


@dataclass(frozen=True)
class ClassAccuracy:
    """Accuracy on the objects of a class.

    Attributes:
        name: the class name.
        group: 'base' or 'novel'.
        objects: how many there are.
        top1: share of them, None without an object.
        top5: share of them.
    """

    name: str
    group: str
    objects: int
    top1: float | None
    top5: float | None


@dataclass(frozen=True)
class Confusion:
    """Objects of a class that are named as another.

    Attributes:
        name: the class name of the objects.
        named: the name that is nearest to them.
        objects: how many there are.
        share: of all objects of the class.
    """

    name: str
    named: str
    objects: int
    share: float


@dataclass(frozen=True)
class ZeroShot:
    """Zero-shot accuracy on true boxes.

    Attributes:
        everything: of all objects among all W names.
        base: of objects of base classes among all names.
        novel: of objects of novel classes among all names.
        novel_alone: of objects of novel classes among the novel names.
        classes: of each class, in the order of the vocabulary.
        confusions: the most frequent ones, at most ``MOST_CONFUSIONS``.
    """

    everything: TopShares
    base: TopShares
    novel: TopShares
    novel_alone: TopShares
    classes: tuple[ClassAccuracy, ...]
    confusions: tuple[Confusion, ...]


class ZeroShotCounter:
    """Counts batch by batch, and keeps four numbers of each object.

    Args:
        texts: (W, D) text embeddings of the class names; batches are compared on their device.
        is_base: (W,) bool.
    """

    def __init__(self, texts: Tensor, is_base: Tensor) -> None:
        self.texts = F.normalize(texts.float(), dim=-1)
        self.is_base = is_base.cpu()
        novel = (~self.is_base).nonzero().flatten()
        self._novel_texts = self.texts[novel.to(texts.device)]
        self._novel_row = torch.zeros(len(is_base), dtype=torch.int64)
        self._novel_row[novel] = torch.arange(len(novel))
        self._labels: list[Tensor] = []
        self._ranks: list[Tensor] = []
        self._nearest: list[Tensor] = []
        self._novel_ranks: list[Tensor] = []  # of novel objects, in their order

    def add(self, embeddings: Tensor, labels: Tensor) -> None:
        """Add objects.

        Args:
            embeddings: (n, D) unit norm, on the device of the texts.
            labels: (n,) int64 on the CPU, rows of the vocabulary.
        """
        if not len(labels):
            return
        similarities = embeddings @ self.texts.T
        self._labels.append(labels)
        self._ranks.append(own_ranks(similarities, labels.to(similarities.device)).cpu())
        self._nearest.append(similarities.argmax(dim=1).cpu())
        is_novel = ~self.is_base[labels]
        if is_novel.any():
            own = self._novel_row[labels[is_novel]].to(similarities.device)
            among_novel = embeddings[is_novel.to(embeddings.device)] @ self._novel_texts.T
            self._novel_ranks.append(own_ranks(among_novel, own).cpu())

    def result(self, names: Sequence[str]) -> ZeroShot:
        """Return what was counted.

        Args:
            names: the W class names.
        """
        labels, ranks = _join(self._labels), _join(self._ranks)
        is_base = self.is_base[labels]
        return ZeroShot(
            everything=_top_shares(ranks, labels),
            base=_top_shares(ranks[is_base], labels[is_base]),
            novel=_top_shares(ranks[~is_base], labels[~is_base]),
            novel_alone=_top_shares(_join(self._novel_ranks), labels[~is_base]),
            classes=self._classes(labels, ranks, names),
            confusions=_confusions(labels, _join(self._nearest), names),
        )

    def _classes(
        self, labels: Tensor, ranks: Tensor, names: Sequence[str]
    ) -> tuple[ClassAccuracy, ...]:
        counts = labels.bincount(minlength=len(names))
        top1, top5 = (_class_shares(ranks < k, labels, len(names)) for k in (1, 5))
        rows = zip(names, self.is_base.tolist(), counts.tolist(), top1, top5, strict=True)
        return tuple(
            ClassAccuracy(name, "base" if is_base else "novel", *rest)
            for name, is_base, *rest in rows
        )


def _top_shares(ranks: Tensor, labels: Tensor) -> TopShares:
    of_classes = [share for share in _class_shares(ranks < 1, labels) if share is not None]
    mean = sum(of_classes) / len(of_classes) if of_classes else None
    return TopShares(share_of(ranks < 1), share_of(ranks < 5), mean)


def _class_shares(right: Tensor, labels: Tensor, classes: int = 0) -> list[float | None]:
    """Return the share of True in (P,) bool of each class; None for one without objects."""
    counts = labels.bincount(minlength=classes)
    hits = labels[right].bincount(minlength=len(counts))
    return [hit / n if n else None for hit, n in zip(hits.tolist(), counts.tolist(), strict=True)]


def _confusions(labels: Tensor, nearest: Tensor, names: Sequence[str]) -> tuple[Confusion, ...]:
    """Return the most frequent wrong names, by number of objects, then in the names' order."""
    counts = labels.bincount(minlength=len(names)).tolist()
    wrong = nearest != labels
    pairs, objects = (labels[wrong] * len(names) + nearest[wrong]).unique(return_counts=True)
    order = objects.argsort(descending=True, stable=True)[:MOST_CONFUSIONS]
    found = []
    for pair, number in zip(pairs[order].tolist(), objects[order].tolist(), strict=True):
        own, named = divmod(pair, len(names))
        found.append(Confusion(names[own], names[named], number, number / counts[own]))
    return tuple(found)


def _join(parts: list[Tensor]) -> Tensor:
    return torch.cat([torch.zeros(0, dtype=torch.int64), *parts])
