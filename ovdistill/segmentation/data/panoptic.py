"""Reads COCO's panoptic format: a JSON file, and RGB images of segment ids."""

from __future__ import annotations

import os.path as osp
from typing import Any

from mmdet.registry import DATASETS

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import CATEGORY_KEYS, IMAGE_KEYS, check_keys, read_sections
from ovdistill.datasets.label_table import LabelTable
from ovdistill.segmentation.data.dataset import SegmentationDataset

SECTIONS = ("images", "annotations", "categories")
ANNOTATION_KEYS = frozenset({"image_id", "file_name", "segments_info"})
SEGMENT_KEYS = frozenset({"id", "category_id"})
SUFFIXES = ("-merged", "-other", "-stuff")  # of COCO's names, which no text for a teacher needs
VOID = 0  # the id of pixels of no segment, and so their value


@DATASETS.register_module()
class PanopticDataset(SegmentationDataset):
    """Images with panoptic maps in COCO's format; the values of a map are category ids.

    Records have ``segments_info`` beside ``seg_map_path``, COCO's list of segments. A vocabulary
    may call "sky-other-merged" "sky other merged", or just "sky".

    Args:
        ann_file: panoptic_SUBSET.json.
        data_prefix: ``img_path``, the folder of the images, and ``seg_map_path``, that of the maps.
        **kwargs: as ``SegmentationDataset``; ``labels`` is not used.

    Raises:
        UserError: no such file, or not in this format.
    """

    def load_table(self) -> LabelTable:
        """Return the names of the file's categories."""
        self.content = read_sections(self.ann_file, SECTIONS)
        names: dict[int, tuple[str, ...]] = {VOID: ()}
        for category in self.content["categories"]:
            check_keys(category, CATEGORY_KEYS, "category", self.ann_file)
            names[category["id"]] = _names(category["name"])
        return LabelTable(str(self.ann_file), names)

    def load_records(self) -> list[dict[str, Any]]:
        """Return a record for each image that has a panoptic map."""
        images: dict[int, dict[str, Any]] = {}
        for image in self.content["images"]:
            check_keys(image, IMAGE_KEYS | {"file_name"}, "image", self.ann_file)
            images[image["id"]] = image
        categories = {category["id"] for category in self.content["categories"]}
        records = []
        for annotation in self.content["annotations"]:
            check_keys(annotation, ANNOTATION_KEYS, "annotation", self.ann_file)
            if annotation["image_id"] not in images:
                raise UserError(
                    f"{self.ann_file} has a map of image {annotation['image_id']}, which is not "
                    "among its images; fetch the file again"
                )
            for segment in annotation["segments_info"]:
                check_keys(segment, SEGMENT_KEYS, "segment", self.ann_file)
                if segment["category_id"] not in categories:
                    raise UserError(
                        f"{self.ann_file} has a segment of category {segment['category_id']}, "
                        f"expected one of its {len(categories)} categories"
                    )
            records.append(self._record(images[annotation["image_id"]], annotation))
        del self.content  # large, and no longer needed
        return records

    def _record(self, image: dict[str, Any], annotation: dict[str, Any]) -> dict[str, Any]:
        maps = self.data_prefix.get("seg_map_path") or ""
        return dict(
            img_path=osp.join(self.data_prefix.get("img_path") or "", image["file_name"]),
            seg_map_path=osp.join(maps, annotation["file_name"]),
            img_id=image["id"],
            height=image["height"],
            width=image["width"],
            segments_info=annotation["segments_info"],
        )


def _names(name: str) -> tuple[str, ...]:
    """Return a category's name with its spellings: "wall-other-merged", ..., "wall"."""
    short = name
    while short.endswith(SUFFIXES):
        short = short.rpartition("-")[0]
    return tuple(dict.fromkeys((name, name.replace("-", " "), short, short.replace("-", " "))))
