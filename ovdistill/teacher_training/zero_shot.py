"""Zero-shot accuracy of towers under training, on labelled images that are held out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from ovdistill.core.distributed import get_rank, get_world_size, is_initialized
from ovdistill.core.errors import UserError
from ovdistill.core.interrupts import held_interrupts
from ovdistill.teacher.crops import CropPolicy
from ovdistill.teacher.open_clip_teacher import RESIZE_MODES
from ovdistill.teacher_training.data.registry import build_source
from ovdistill.teacher_training.data.source import PairSource
from ovdistill.teacher_training.gradients import batch_norms
from ovdistill.teacher_training.open_clip_towers import OpenCLIPTowers
from ovdistill.vocabulary.names import check_names
from ovdistill.vocabulary.prompts import TEMPLATES, fill_template

BATCH = 64  # images encoded at once


class HeldOut:
    """Labelled images, and the texts of their classes with the template "single".

    Args:
        options: the config's ``held_out``: a source of pairs with classes.

    Raises:
        UserError: a source without classes or with two names of one class, or see
            ``build_source``.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        source = build_source(options)
        if not isinstance(source, PairSource) or len(source.class_names) < 2:
            raise UserError(
                f"held_out is a {type(source).__name__} without classes; expected labelled images, "
                "such as dict(type='ImageFolders', folder=...)"
            )
        self.source = source
        self.names = sorted(set(source.class_names))
        check_names(self.names, f"held_out ({type(source).__name__})")

    def accuracy(
        self,
        towers: OpenCLIPTowers,
        workers: int = 0,
        group: torch.distributed.ProcessGroup | None = None,
    ) -> float:
        """Return the share of images whose class is the nearest text, in [0, 1].

        Every rank must call it, and measures a share of the images.

        Args:
            towers: the same on every rank; running statistics become those of rank 0.
            workers: processes of each rank that load images; 0 for none beside this one.
            group: of all ranks, which sums up their counts; None for a single process.

        Raises:
            ImageError: an image cannot be used.
            UserError: an image has no class, or another rank could not measure its share.
        """
        _share_statistics(towers)
        was_training = towers.training
        towers.eval()
        correct = 0
        failure: UserError | None = None
        try:
            with torch.no_grad():
                correct = self._count_correct(towers, workers)
        except UserError as error:  # raised below: the other ranks wait for this one's count
            failure = error
        finally:
            towers.train(was_training)
        counts = torch.tensor([correct, int(failure is not None)])
        if group is not None:
            torch.distributed.all_reduce(counts, group=group)
        correct, failures = counts.tolist()
        if failure is not None:
            raise failure
        if failures:
            raise UserError(
                f"{failures} of the other processes could not measure images of held_out; see "
                "what they say"
            )
        return float(correct / len(self.source))

    def _count_correct(self, towers: OpenCLIPTowers, workers: int) -> int:
        """Return how many images of this rank's share have their class as the nearest text."""
        (template,) = TEMPLATES["single"]
        prompts = [fill_template(template, name) for name in self.names]
        texts = towers.encode_texts(towers.tokenizer(prompts).to(towers.device))
        correct = 0
        for inputs, labels in self._batches(towers, workers):
            embedded = towers.encode_images(inputs.to(towers.device))
            found = (embedded @ texts.T).argmax(dim=1).cpu()
            correct += int((found == labels).sum())
        return correct

    def _batches(self, towers: OpenCLIPTowers, workers: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield inputs and labels of this rank's share of the images."""
        rows = range(get_rank(), len(self.source), get_world_size())
        parts = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
        loader: DataLoader[tuple[Tensor, Tensor]] = DataLoader(
            _Batches(self, towers),
            batch_size=None,
            sampler=parts,
            num_workers=min(workers, len(parts)),
            generator=torch.Generator(),  # no number of the training is drawn for it
        )
        with held_interrupts():
            batches = iter(loader)
        yield from batches


class _Batches(Dataset[tuple[Tensor, Tensor]]):
    """Held-out images by their rows, as the towers take them; worker processes load them."""

    def __init__(self, held_out: HeldOut, towers: OpenCLIPTowers) -> None:
        self.source, self.names = held_out.source, held_out.names
        self.image_size, self.normalize = towers.image_size, towers.normalize
        self.preprocessing = towers.preprocessing

    def __getitem__(self, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return (n, 3, S, S) normalised inputs and (n,) int64 labels."""
        pairs = [self.source.load(row, np.random.default_rng(row)) for row in rows]
        without = [row for row, pair in zip(rows, pairs, strict=True) if not pair.class_name]
        if without:
            raise UserError(
                f"pair {without[0] + 1} of held_out has no class; expected one for each"
            )
        labels = torch.tensor([self.names.index(str(pair.class_name)) for pair in pairs])
        return self._inputs([pair.image for pair in pairs]), labels

    def _inputs(self, images: Sequence[np.ndarray]) -> Tensor:
        """Return (n, 3, S, S) normalised, prepared as the model's own preprocessing does it."""
        policy = CropPolicy(scales=(1.0,), shape=RESIZE_MODES[self.preprocessing["resize_mode"]])
        regions = []
        for image in images:
            height, width = image.shape[:2]
            whole = torch.tensor([[0.0, 0.0, width, height]])
            regions.append((torch.from_numpy(image).permute(2, 0, 1), whole))
        (crops,) = policy.crop(regions, self.image_size, self.preprocessing["interpolation"])
        return self.normalize(crops)


def _share_statistics(towers: nn.Module) -> None:
    """Give every rank the running statistics of rank 0, which checkpoints and the result have."""
    if not is_initialized():
        return
    for norm in batch_norms(towers):
        for statistic in norm.buffers():
            torch.distributed.broadcast(statistic, 0)
