"""From the test pipeline of a config to what makes network inputs of images in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from mmcv.image import imresize
from mmcv.image.geometric import rescale_size
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.structures import InstanceData

# from dict(img=(H, W, 3) uint8 BGR, img_id=int) to dict(inputs=(3, h, w) uint8, data_samples=...)
ImagePipeline = Callable[[Mapping[str, Any]], dict[str, Any]]

RESIZE = ("OVResize", "Resize", "mmdet.Resize")
PACK = ("PackOVInputs", "PackDetInputs", "mmdet.PackDetInputs", "PackSegmentationInputs")
META = {"img_id", "img_path", "ori_shape", "img_shape", "scale_factor"}


def build_image_pipeline(config: Config) -> ImagePipeline:
    """Build the test pipeline of a config for an image in memory instead of one of a dataset.

    mmdet's ``Resize``, in configs of one's own, becomes ``OVResize``, which takes images of any
    shape. A pipeline of nothing but resizing and packing, as shipped recipes have it, runs without
    mmdet's transforms; any other is built of them, which takes a second more to import.
    """
    steps = [s for s in config.test_pipeline if not s["type"].split(".")[-1].startswith("Load")]
    return ResizeAndPack.of(steps) or _build_of_transforms(steps)


@dataclass(frozen=True)
class ResizeAndPack:
    """Does to an image what ``OVResize`` and ``PackOVInputs`` do, to the bit.

    Attributes:
        scale: two sides that the image has to fit into, or, without ``keep_ratio``, its new width
            and height, pixels.
        keep_ratio: keep the ratio of the image's sides.
        meta_keys: what the data sample says of the image, of ``META``.
    """

    scale: tuple[int, int]
    keep_ratio: bool
    meta_keys: tuple[str, ...]

    @classmethod
    def of(cls, steps: Sequence[Mapping[str, Any]]) -> ResizeAndPack | None:
        """Return what does the same as these steps of a config, or None for any other steps."""
        if [_kind(step) for step in steps] != ["resize", "pack"]:
            return None
        resize, pack = steps
        return cls(resize["scale"], resize.get("keep_ratio", False), tuple(pack["meta_keys"]))

    def __call__(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``inputs``, (3, h, w) uint8 BGR, and ``data_samples``, a ``DetDataSample``.

        Args:
            record: ``img`` (H, W, 3) uint8 BGR, and ``img_id``.
        """
        image = record["img"]
        height, width = image.shape[:2]
        fitting = rescale_size((width, height), self.scale) if self.keep_ratio else self.scale
        resized = imresize(image, (max(1, fitting[0]), max(1, fitting[1])), backend="cv2")
        h, w = resized.shape[:2]
        known = {
            "img_id": record["img_id"],
            "img_path": None,
            "ori_shape": (height, width),
            "img_shape": (h, w),
            "scale_factor": (w / width, h / height),
        }
        sample = DetDataSample(metainfo={key: known[key] for key in self.meta_keys})
        sample.gt_instances, sample.ignored_instances = InstanceData(), InstanceData()
        return {
            "inputs": torch.from_numpy(resized).permute(2, 0, 1).contiguous(),
            "data_samples": sample,
        }


def _kind(step: Mapping[str, Any]) -> str | None:
    """Return 'resize' or 'pack' for a step that ``ResizeAndPack`` does, None for any other."""
    arguments = set(step) - {"type"}
    if step["type"] in RESIZE and arguments <= {"scale", "keep_ratio"}:
        scale = step.get("scale", ())
        is_size = isinstance(scale, tuple) and [type(side) for side in scale] == [int, int]
        return "resize" if is_size and min(scale) > 0 else None
    if step["type"] in PACK and arguments == {"meta_keys"}:
        return "pack" if META.issuperset(step["meta_keys"]) else None
    return None


def _build_of_transforms(steps: Sequence[Mapping[str, Any]]) -> ImagePipeline:
    """Build steps of a config as mmdet does, for an image in memory."""
    from mmdet.registry import TRANSFORMS
    from mmengine.dataset import Compose

    import ovdistill.models.register  # noqa: F401

    steps = [dict(s, type="OVResize") if s["type"] in RESIZE else s for s in steps]
    steps = [{"type": "mmdet.LoadImageFromNDArray"}, *steps]
    return Compose([TRANSFORMS.build(step) for step in steps])
