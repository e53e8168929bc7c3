"""The label maps of a data set, and the classes that compete on them: what is scored against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.core.image_folders import list_folder
from ovdistill.datasets.names.label_table import LabelTable
from ovdistill.evaluation.regions.objects import draw_images
from ovdistill.segmentation.data.vocabulary_lookup import vocabulary_lookup


@dataclass(frozen=True, eq=False)
class LabelMaps:
    """Label maps whose pixels of all classes are labelled.

    Attributes:
        records: of the images, as ``load_maps`` takes them, with ``img_id``, and with ``img_path``
            where the images are known.
        names: W class names; rows of the label maps are theirs.
        is_base: (W,) whether a class is base.
    """

    records: Sequence[Mapping[str, Any]]
    names: tuple[str, ...]
    is_base: tuple[bool, ...]

    def __len__(self) -> int:
        return len(self.records)

    def draw(self, most: int | None) -> LabelMaps:
        """Return so many of the images, drawn always alike; all of them if it is None."""
        places = draw_images(range(len(self)), len(self) if most is None else most)
        return replace(self, records=[self.records[place] for place in places])


@dataclass(frozen=True, eq=False)
class MapFolder:
    """The files of a folder of label maps.

    Attributes:
        folder: the folder.
        records: one for each label map: ``img_id``, its name without suffix, with the folders
            before it, ``seg_map_path``, and ``img_path`` if there is a folder of images.
        without_image: label maps that are left out, since the other folder has no such image.
    """

    folder: Path
    records: Sequence[Mapping[str, Any]]
    without_image: Sequence[Path]

    def label_maps(
        self, table: LabelTable, names: Sequence[str], is_base: Sequence[bool]
    ) -> LabelMaps:
        """Return the label maps for class names.

        Args:
            table: what the values of the files mean.
            names: W class names.
            is_base: (W,) whether a class is base.

        Raises:
            UserError: no class name has a value.
        """
        lookup = vocabulary_lookup(table, names, [True] * len(names))
        records = [{**record, "label_lookup": lookup} for record in self.records]
        return LabelMaps(records, tuple(names), tuple(is_base))


def find_label_maps(folder: Path, images: Path | None = None) -> MapFolder:
    """Find the label maps of a folder and of those below it, and the image of each.

    Args:
        folder: of label maps.
        images: folder of images with the same names, whatever their suffix; None if they are not
            needed. It may have more images.

    Raises:
        UserError: a folder that cannot be listed, two files of one name, no label map, or none
            that has an image.
    """
    maps = _by_name(folder, "label map")
    if images is None:
        records = [dict(img_id=name, seg_map_path=str(path)) for name, path in maps.items()]
        return MapFolder(folder, records, ())
    found = _by_name(images, "image")
    records = [
        dict(img_id=name, seg_map_path=str(path), img_path=str(found[name]))
        for name, path in maps.items()
        if name in found
    ]
    if not records:
        raise UserError(
            f"no image in {images} has the name of a label map in {folder}, such as "
            f"{next(iter(maps))!r:.80}; expected one for each label map"
        )
    return MapFolder(folder, records, [path for name, path in maps.items() if name not in found])


def _by_name(folder: Path, what: str) -> dict[str, Path]:
    """Return the image files of a folder by their name without suffix, in natural order.

    Raises:
        UserError: see ``find_label_maps``.
    """
    try:
        found = list_folder(folder).images
    except OSError as error:
        raise UserError(f"cannot list {folder} ({error.strerror})") from error
    files: dict[str, Path] = {}
    for path in found:
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in files:
            raise UserError(
                f"{folder} has two files of the name {name!r:.80}, {files[name].suffix} and "
                f"{path.suffix}; expected one {what} of each name"
            )
        files[name] = path
    if not files:
        raise UserError(f"no {what} in {folder}; expected image files")
    return files
