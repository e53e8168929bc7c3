"""Sources of proposals: the boxes of an image that the teacher embeds.

No source may have been trained on boxes of novel classes.

Shapes: P boxes of an image.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ovdistill.core.class_names import clean_name
from ovdistill.core.files import hash_file
from ovdistill.datasets.annotations import Annotations, read_annotations
from ovdistill.datasets.annotations.class_categories import label_categories
from ovdistill.extraction.file_proposals import FileProposals
from ovdistill.extraction.images import LoadedImage
from ovdistill.extraction.proposal_source import Proposals, ProposalSource
from ovdistill.extraction.stale import digest, some, without_initial_weights

if TYPE_CHECKING:
    from mmengine.config import Config

LOGGER = logging.getLogger(__name__)
__all__ = [
    "FileProposals",
    "GridProposals",
    "LabelledProposals",
    "NetworkProposals",
    "ProposalSource",
    "Proposals",
    "RandomProposals",
    "keep_best_boxes",
]


class NetworkProposals(ProposalSource):
    """Boxes from an RPN or a class-agnostic detector that was trained on base boxes only.

    Args:
        config: config of the network; its ``test_cfg`` sets the NMS, its ``test_pipeline`` the
            image size.
        checkpoint: weights of the network.
        device: where the network runs.

    Raises:
        UserError: the weights are missing or of another network.
    """

    def __init__(self, config: Config, checkpoint: str | Path, device: str | torch.device) -> None:
        # the other sources work without mmdet, which takes seconds to import
        from ovdistill.models.build import build_detector
        from ovdistill.models.image_pipeline import build_image_pipeline

        self.origin = {"network": network_digest(config)}  # before mmdet changes its config
        self.network: Any = build_detector(config, checkpoint, device=device)
        self.pipeline = build_image_pipeline(config)
        self.provenance = dict(
            kind="network",
            source=f"{Path(str(config.filename)).name}, {checkpoint}",
            hash=hash_file(checkpoint),
        )

    @torch.inference_mode()
    def propose(self, images: Sequence[LoadedImage]) -> list[Proposals]:
        """Propose boxes, see ``ProposalSource``."""
        packed = [self.pipeline(_as_mmdet(image)) for image in images]
        batch = {key: [item[key] for item in packed] for key in ("inputs", "data_samples")}
        found = [sample.pred_instances for sample in self.network.test_step(batch)]
        return [(each.bboxes.float().cpu(), each.scores.float().cpu()) for each in found]


def network_digest(config: Config) -> str:
    """Return 16 hex digits of what a proposal network does with an image, beside its weights."""
    network = without_initial_weights(config.to_dict())
    return digest({key: network.get(key) for key in ("test_pipeline", "model")})


class LabelledProposals(ProposalSource):
    """The annotated boxes of base classes, without crowds, each with score 1.

    Args:
        annotations: an annotation file in COCO or LVIS format.
        base: names of the base classes; boxes of other classes are not used.

    Raises:
        UserError: no category is of a base class, or see ``read_annotations``.
    """

    def __init__(self, annotations: str | os.PathLike[str], base: Sequence[str]) -> None:
        found = read_annotations(annotations, allow_outside_images=True)  # none is opened
        ids = _category_ids(base, found)
        self.provenance = dict(
            kind="labelled",
            source=f"{annotations}, {len(ids)} base categories",
            hash=hash_file(annotations),
        )
        names = [name for name, category in found.categories.items() if category["id"] in ids]
        self.origin = {"base categories": digest(sorted(map(clean_name, names)))}
        self._boxes = {
            image_id: _xyxy(np.array([r["bbox"] for r in own], dtype=np.float32).reshape(-1, 4))
            for image_id, records in found.by_image.items()
            if (own := [r for r in records if r["category_id"] in ids and not r["iscrowd"]])
        }

    def propose(self, images: Sequence[LoadedImage]) -> list[Proposals]:
        """Propose boxes, see ``ProposalSource``."""
        none = np.zeros((0, 4), dtype=np.float32)
        boxes = [torch.from_numpy(self._boxes.get(p.file.image_id, none)) for p in images]
        return [(own, torch.ones(len(own))) for own in boxes]


class GridProposals(ProposalSource):
    """Boxes on a regular grid in three sizes, to try out code.

    Args:
        count: the largest number of boxes of an image.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.provenance = dict(kind="grid", source=f"{count} boxes", hash="")

    def propose(self, images: Sequence[LoadedImage]) -> list[Proposals]:
        """Propose boxes, see ``ProposalSource``."""
        steps = max(1, math.isqrt(self.count // 3))
        positions = (torch.arange(steps) + 0.5) / steps
        centres = torch.cartesian_prod(positions, positions).repeat(3, 1)
        sides = torch.tensor([0.2, 0.4, 0.8]).repeat_interleave(steps**2)[:, None]
        unit = torch.cat([centres - sides / 2, centres + sides / 2], dim=1).clamp(0, 1)
        return [_scaled(unit[: self.count], image) for image in images]


class RandomProposals(ProposalSource):
    """Random boxes that are the same for an image in every run, to try out code.

    Args:
        count: number of boxes of an image.
        seed: seed of the random numbers, together with the id of the image.
    """

    def __init__(self, count: int, seed: int = 0) -> None:
        self.count, self.seed = count, seed
        self.provenance = dict(kind="random", source=f"{count} boxes, seed {seed}", hash="")

    def propose(self, images: Sequence[LoadedImage]) -> list[Proposals]:
        """Propose boxes, see ``ProposalSource``."""
        found = []
        for image in images:
            generator = torch.Generator().manual_seed(self.seed * 1_000_003 + image.file.image_id)
            corners = torch.rand(2, self.count, 2, generator=generator)
            unit = torch.cat([corners.amin(0), corners.amax(0)], dim=1)
            found.append(_scaled(unit, image))
        return found


def keep_best_boxes(
    proposals: Proposals, size: tuple[int, int], per_image: int, min_size: float
) -> tuple[Tensor, Tensor, int]:
    """Clip the boxes of an image, drop useless ones, and keep those of the highest scores.

    Args:
        proposals: boxes and scores of the image.
        size: height and width of the image, in pixels.
        per_image: the largest number of boxes that are kept.
        min_size: the shortest side that is kept, in pixels, measured after clipping.

    Returns:
        (P, 4) float32 boxes, xyxy, absolute pixels, inside the image, best first; (P,) scores; and
        the number of boxes that were dropped because they have no area in the image, a side below
        ``min_size``, or NaN. Boxes beyond ``per_image`` do not count as dropped.
    """
    boxes, scores = proposals
    height, width = size
    boxes = torch.minimum(boxes.float().clamp(min=0), boxes.new_tensor([width, height] * 2))
    sides = boxes[:, 2:] - boxes[:, :2]
    good = (sides > 0).all(1) & (sides >= min_size).all(1) & ~boxes.isnan().any(1) & ~scores.isnan()
    boxes, scores = boxes[good], scores[good]
    order = scores.argsort(descending=True, stable=True)[:per_image]
    return boxes[order], scores[order], int((~good).sum())


def _category_ids(base: Sequence[str], found: Annotations) -> Set[int]:
    """Return the ids of the categories of base classes, and report classes that have none.

    Raises:
        UserError: no class has one.
    """
    labels = label_categories(base, found.categories, "the base classes", found.path)
    if missing := {*base} - {base[row] for row in labels.values()}:
        LOGGER.warning(
            "%d of %d base classes are no category of %s, and have no boxes: %s",
            *(len(missing), len(base), found.path, some(missing)),
        )
    return labels.keys()


def _as_mmdet(image: LoadedImage) -> Mapping[str, Any]:
    """Return an image as mmdet's pipelines take it: (H, W, 3) uint8 BGR."""
    assert image.pixels is not None  # only images without a problem come here
    pixels = image.pixels.permute(1, 2, 0).numpy()[..., ::-1]
    return {"img": np.ascontiguousarray(pixels), "img_id": image.file.image_id}


def _xyxy(boxes: np.ndarray) -> np.ndarray:
    """Convert (n, 4) boxes from x, y, width, height to corners."""
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def _scaled(unit: Tensor, image: LoadedImage) -> Proposals:
    """Scale boxes in [0, 1] to the size of an image; their scores are 1."""
    assert image.pixels is not None
    height, width = image.pixels.shape[1:]
    return unit * torch.tensor([width, height] * 2), torch.ones(len(unit))
