"""Where the images and label maps of official data sets lie below their folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ovdistill.core.errors import UserError
from ovdistill.core.urls import ADE20K_150, COCO, COCO_STUFF, VOC_2012, VOC_AUG
from ovdistill.segmentation.data.image_files import names_in_folder, read_list

IMAGE_SUFFIX, MAP_SUFFIX = ".jpg", ".png"


@dataclass(frozen=True)
class Subset:
    """One subset of a data set.

    Attributes:
        images: folder of the images, below that of the data set.
        maps: folder of the label maps.
        count: number of images of the official subset.
        source: where the images and the maps are to be had.
        listed: a list of names, one a line; "" takes all images of the folder.
    """

    images: str
    maps: str
    count: int
    source: str
    listed: str = ""

    def names(self, root: Path) -> list[str]:
        """Return the names of the images, without folder and suffix, in order.

        Raises:
            UserError: no folder of images or of maps, an empty one, no list, or see ``read_list``.
        """
        for folder in (self.images, self.maps):
            if not (root / folder).is_dir():
                raise UserError(f"no folder {root / folder}. {self.source}")
        if self.listed:
            path = root / self.listed
            if not path.is_file():
                raise UserError(f"no list {path}. {self.source}")
            return read_list(path)
        names = names_in_folder(root / self.images, IMAGE_SUFFIX)
        if not names:
            raise UserError(f"no images in {root / self.images}. {self.source}")
        return names

    def pair(self, root: Path, name: str) -> tuple[Path, Path]:
        """Return the paths of an image and of its label map."""
        return (
            root / self.images / f"{name}{IMAGE_SUFFIX}",
            root / self.maps / f"{name}{MAP_SUFFIX}",
        )


@dataclass(frozen=True)
class Layout:
    """A data set with label maps.

    Attributes:
        title: its name for people.
        labels: name of its label table.
        split: the split that says which of its classes are unseen.
        subsets: by name.
    """

    title: str
    labels: str
    split: str
    subsets: dict[str, Subset]

    def wanted(self, names: Sequence[str], root: Path) -> dict[str, Subset]:
        """Return the subsets of these names, or all whose label maps are there.

        Raises:
            UserError: another name, or label maps of none.
        """
        if unknown := [name for name in names if name not in self.subsets]:
            raise UserError(
                f"{self.title} has no subset {unknown[0]!r}; expected some of "
                f"{', '.join(self.subsets)}"
            )
        found = names or [key for key, one in self.subsets.items() if (root / one.maps).is_dir()]
        if not found:
            first = next(iter(self.subsets.values()))
            raise UserError(
                f"no label maps of {self.title}: no {root / first.maps}. {first.source}"
            )
        return {name: self.subsets[name] for name in found}


_VOC = f"Expected the unpacked VOC 2012, the folder VOCdevkit/VOC2012: {VOC_2012}"
_AUG = (
    "SegmentationClassAug and its list trainaug.txt are no part of VOC: they are made from SBD "
    f"({VOC_AUG})"
)
_STUFF = (
    f"Expected COCO 2017 ({COCO}/zips/train2017.zip, val2017.zip) with COCO-Stuff's maps in "
    f"stuffthingmaps ({COCO_STUFF})"
)
_ADE = f"Expected the unpacked ADEChallengeData2016: {ADE20K_150}"
_LISTS = "ImageSets/Segmentation"

LAYOUTS = {
    "voc": Layout(
        "PASCAL VOC 2012",
        "voc",
        "voc-15",
        {
            "train": Subset("JPEGImages", "SegmentationClass", 1464, _VOC, f"{_LISTS}/train.txt"),
            "val": Subset("JPEGImages", "SegmentationClass", 1449, _VOC, f"{_LISTS}/val.txt"),
            "trainaug": Subset(
                "JPEGImages", "SegmentationClassAug", 10_582, _AUG, f"{_LISTS}/trainaug.txt"
            ),
        },
    ),
    "coco-stuff": Layout(
        "COCO-Stuff",
        "coco-stuff",
        "stuff-156",
        {
            "train": Subset("train2017", "stuffthingmaps/train2017", 118_287, _STUFF),
            "val": Subset("val2017", "stuffthingmaps/val2017", 5_000, _STUFF),
        },
    ),
    "ade20k": Layout(
        "ADE20K-150",
        "ade20k",
        "none",
        {
            "train": Subset("images/training", "annotations/training", 20_210, _ADE),
            "val": Subset("images/validation", "annotations/validation", 2_000, _ADE),
        },
    ),
}
