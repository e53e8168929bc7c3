"""The options of `ovdistill teacher evaluate` that measure segmentation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ovdistill.commands.options import CommonOptions, flag, option


@dataclass(frozen=True, kw_only=True)
class PixelOptions(CommonOptions):
    """What is segmented, and how."""

    segmentation: bool = flag(
        help="measure zero-shot segmentation: the teacher's dense embeddings against the names"
    )
    label_maps: Path | None = option(
        None,
        metavar="DIR",
        help="label maps to score against, each with an image of its name in --images (default: "
        "those of the config)",
    )
    label_table: str | None = option(
        None,
        metavar="TABLE",
        help="what their values mean: voc, coco-stuff, coco-panoptic, ade20k, ovshapes, or a file "
        "with a value, a tab and a class name in each line",
    )
    dense_size: int | None = option(
        None,
        metavar="PIXELS",
        help="longer side that images are brought to before they are segmented (default: their "
        "own size times --dense-scale)",
        least=1,
    )
    dense_scale: float | None = option(
        None, help="factor by which they are resized in place of --dense-size", least=0.01, most=100
    )
    denoise: float | None = option(
        None,
        help="leave out names whose probability is below it everywhere in an image (MaskCLIP: 0.5)",
        least=0,
        most=1,
    )
    smooth: bool = flag(help="average scores over positions that are alike (MaskCLIP)")
    per_class: bool = flag(help="print the figures of each class too")
