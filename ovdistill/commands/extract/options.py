"""The options of `ovdistill extract`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ovdistill.commands.options import complete_recipe, flag, option
from ovdistill.commands.teacher_options import TeacherOptions


@dataclass(frozen=True, kw_only=True)
class ExtractOptions(TeacherOptions):
    """Options of ``ovdistill extract``."""

    images: str | None = option(
        None, metavar="DIR", help="folder of the images (default: the config's)"
    )
    annotations: str | None = option(
        None, metavar="FILE", help="file that lists the images (default: the config's)"
    )
    allow_outside_images: bool = flag(
        help="take file names that are absolute or lead out of the image folder"
    )
    proposals: str | None = option(
        None,
        metavar="SOURCE",
        help="weights of a proposal network (with --network), a .json file of COCO results, 'gt' "
        "(labelled boxes of base classes), or 'grid' or 'random' (to try the code out) "
        "(default: the config's network)",
    )
    network: str | None = option(
        None, metavar="CONFIG", help="config of the proposal network", completer=complete_recipe
    )
    vocabulary: str | None = option(
        None,
        metavar="FILE",
        help="vocabulary whose base classes 'gt' means (default: the config's)",
    )
    per_image: int | None = option(
        None, help="most regions in an image (default: the config's, or 300)", least=1
    )
    min_size: float = option(0.0, help="shortest side of a region in pixels", least=0)
    crop_shape: Literal["clip", "square", "pad", "squash"] | None = option(
        None, help="how crops are made square (default: the teacher's)"
    )
    crop_scales: tuple[float, ...] = option(
        (), help="enlargements of a box, e.g. 1.0 1.5 (default: the teacher's)", least=1e-6
    )
    crop_fuse: Literal["sum_then_norm", "norm_then_mean"] | None = option(
        None, help="how the embeddings of several scales are joined (default: the teacher's)"
    )
    dense_size: int | None = option(
        None,
        metavar="PIXELS",
        help="embed the regions of an image from one pass over it, brought to this longer side, "
        "in place of crops (default: the teacher's)",
        least=1,
    )
    dense_stage: int | None = option(
        None,
        metavar="STAGE",
        help="with --dense-size: regions share the image tower up to this stage, and go through "
        "the later ones alone; nearer to crops, and slower; for ResNets and ConvNeXts",
        least=1,
    )
    batch_size: int | None = option(
        None, help="crops in a forward pass (default: 64 on a CPU, 512 on a GPU)", least=1
    )
    workers: int | None = option(
        None, help="processes that read images (default: 1 on a CPU, else 4)", least=0
    )
    shard_images: int = option(
        128,
        old_flags=["--shard-pictures"],
        help="images in a file of the store, the most that an interruption can lose",
        least=1,
    )
    dry_run: bool = flag(help="process a few images from end to end, and keep nothing")
    launcher: Literal["none", "pytorch", "slurm"] = option(
        "none", help="what has started several processes"
    )
    out: str | None = option(
        None,
        flags=["-o"],
        metavar="STORE",
        help="folder to make (default: the config's regions)",
        writes="folder",
    )
