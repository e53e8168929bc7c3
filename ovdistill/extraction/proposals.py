"""Where the boxes of a store come from. None of the sources may have seen novel boxes.

Shapes: P boxes.
"""

from __future__ import annotations

import json
import math
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.core.files import hash_file
from ovdistill.datasets.annotations import read_annotations
from ovdistill.extraction.images import LoadedImage

Proposals = tuple[Tensor, Tensor]  # (P, 4) float32 xyxy in pixels of the image, (P,) scores


class ProposalSource(ABC):
    """Boxes for images.

    Attributes:
        provenance: plain JSON values that tell the boxes from any others.
    """

    provenance: dict[str, Any]

    @abstractmethod
    def propose(self, images: Sequence[LoadedImage]) -> list[Proposals]:
        """Boxes and scores of each image, the highest first or in any order."""


class NetworkProposals(ProposalSource):
    """An RPN or a class-agnostic detector, trained on base boxes only.

    Args:
        config: of the network; its ``test_cfg`` has the NMS, its ``test_pipeline`` the size.
        checkpoint: its weights.
        device: where it runs.

    Raises:
        UserError: the weights are missing or of another network.
    """

    def __init__(
        self, config: Config, checkpoint: str | os.PathLike[str], device: str | torch.device
    ) -> None:
        from ovdistill.models.build import build_detector, build_image_pipeline

        self.network = build_detector(config, checkpoint, device=device)
        self.pipeline = build_image_pipeline(config)
        self.provenance = dict(
            kind="network",
            source=f"{Path(str(config.filename)).name}, {checkpoint}",
            hash=hash_file(checkpoint),
        )

    @torch.inference_mode()
    def propose(self, images: Sequence[LoadedImage]) -> list[Proposals]:
        """See ``ProposalSource``."""
        packed = [self.pipeline(_as_mmdet(image)) for image in images]
        batch = {key: [item[key] for item in packed] for key in ("inputs", "data_samples")}
        found = [sample.pred_instances for sample in self.network.test_step(batch)]
        return [(each.bboxes.float().cpu(), each.scores.float().cpu()) for each in found]


class FileProposals(ProposalSource):
    """A file in COCO's format of results: a list of image_id, bbox (x, y, width, height), score.

    Args:
        path: the .json file.

    Raises:
        UserError: not such a file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            rows = [*json.loads(Path(path).read_bytes())]
            ids = np.array([row["image_id"] for row in rows], dtype=np.int64)
            boxes = np.array([row["bbox"] for row in rows], dtype=np.float32).reshape(-1, 4)
            scores = np.array([row.get("score", 1.0) for row in rows], dtype=np.float32)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(
                f"cannot read proposals from {os.fspath(path)} ({error!r}); expected a .json list "
                'such as [{"image_id": 1, "bbox": [x, y, width, height], "score": 0.9}]'
            ) from error
        self.provenance = dict(kind="file", source=os.fspath(path), hash=hash_file(path))
        order = ids.argsort(kind="stable")
        self._ids = ids[order]
        self._boxes = torch.from_numpy(_xyxy(boxes[order]))
        self._scores = torch.from_numpy(scores[order])

    def propose(self, images: Sequence[LoadedImage]) -> list[Proposals]:
        """See ``ProposalSource``; an image that the file does not name has none."""
        wanted = [image.file.image_id for image in images]
        starts, ends = (self._ids.searchsorted(wanted, side).tolist() for side in ("left", "right"))
        return [(self._boxes[a:b], self._scores[a:b]) for a, b in zip(starts, ends, strict=True)]


class LabelledProposals(ProposalSource):
    """Labelled boxes of base categories, crowds left out; their score is 1.

    Args:
        annotations: a file in COCO or LVIS format.
        base: names of base categories; the others' boxes are not used.
    """

    def __init__(self, annotations: str | os.PathLike[str], base: Sequence[str]) -> None:
        found = read_annotations(Path(annotations))
        ids = {found.categories[name]["id"] for name in base if name in found.categories}
        self.provenance = dict(
            kind="labelled",
            source=f"{annotations}, {len(ids)} base categories",
            hash=hash_file(annotations),
        )
        self._boxes = {
            image_id: _xyxy(np.array([r["bbox"] for r in own], dtype=np.float32).reshape(-1, 4))
            for image_id, records in found.by_image.items()
            if (own := [r for r in records if r["category_id"] in ids and not r.get("iscrowd")])
        }

    def propose(self, images: Sequence[LoadedImage]) -> list[Proposals]:
        """See ``ProposalSource``."""
        none = np.zeros((0, 4), dtype=np.float32)
        boxes = [torch.from_numpy(self._boxes.get(p.file.image_id, none)) for p in images]
        return [(own, torch.ones(len(own))) for own in boxes]


class GridProposals(ProposalSource):
    """Boxes on a grid, at three sizes: to try code out.

    Args:
        count: boxes an image, at most.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.provenance = dict(kind="grid", source=f"{count} boxes", hash="")

    def propose(self, images: Sequence[LoadedImage]) -> list[Proposals]:
        """See ``ProposalSource``."""
        steps = max(1, math.isqrt(self.count // 3))
        places = (torch.arange(steps) + 0.5) / steps
        centres = torch.cartesian_prod(places, places).repeat(3, 1)
        sides = torch.tensor([0.2, 0.4, 0.8]).repeat_interleave(steps**2)[:, None]
        unit = torch.cat([centres - sides / 2, centres + sides / 2], dim=1).clamp(0, 1)
        return [_scaled(unit[: self.count], image) for image in images]


class RandomProposals(ProposalSource):
    """Boxes at random, the same for an image in every run: to try code out.

    Args:
        count: boxes an image.
        seed: of the boxes.
    """

    def __init__(self, count: int, seed: int = 0) -> None:
        self.count, self.seed = count, seed
        self.provenance = dict(kind="random", source=f"{count} boxes, seed {seed}", hash="")

    def propose(self, images: Sequence[LoadedImage]) -> list[Proposals]:
        """See ``ProposalSource``."""
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
    """The boxes of an image that are worth embedding.

    Args:
        proposals: boxes and scores.
        size: height and width of the image.
        per_image: keep that many, of the highest scores.
        min_size: pixels; drop boxes with a side below, after they are clipped to the image.

    Returns:
        (P, 4) boxes inside the image, (P,) scores, and how many were dropped for having no area
        in the image, a side below ``min_size``, or NaN.
    """
    boxes, scores = proposals
    height, width = size
    boxes = torch.minimum(boxes.float().clamp(min=0), boxes.new_tensor([width, height] * 2))
    sides = boxes[:, 2:] - boxes[:, :2]
    good = (sides > 0).all(1) & (sides >= min_size).all(1) & ~boxes.isnan().any(1) & ~scores.isnan()
    boxes, scores = boxes[good], scores[good]
    order = scores.argsort(descending=True, stable=True)[:per_image]
    return boxes[order], scores[order], int((~good).sum())


def _as_mmdet(image: LoadedImage) -> Mapping[str, Any]:
    """An image as mmdet's pipelines take one: (H, W, 3) BGR."""
    pixels = image.pixels.permute(1, 2, 0).numpy()[..., ::-1]
    return {"img": np.ascontiguousarray(pixels), "img_id": image.file.image_id}


def _xyxy(boxes: np.ndarray) -> np.ndarray:
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def _scaled(unit: Tensor, image: LoadedImage) -> Proposals:
    height, width = image.pixels.shape[1:]
    return unit * torch.tensor([width, height] * 2), torch.ones(len(unit))
