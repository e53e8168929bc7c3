"""PanopticDataset: images with panoptic maps in COCO's format."""

from __future__ import annotations

import os.path as osp
from typing import Any

from mmdet.registry import DATASETS

from ovdistill.datasets.names.label_table import LabelTable
from ovdistill.segmentation.data.dataset import SegmentationDataset
from ovdistill.segmentation.data.panoptic_file import PanopticFile, read_panoptic


@DATASETS.register_module()
class PanopticDataset(SegmentationDataset):
    """Images with panoptic maps in COCO's format; the values of a map are category ids.

    Records have ``segments_info`` beside ``seg_map_path``, COCO's list of segments.

    Args:
        ann_file: panoptic_SUBSET.json.
        data_prefix: ``img_path``, the folder of the images, and ``seg_map_path``, that of the maps.
        **kwargs: as ``SegmentationDataset``; ``labels`` is not used.

    Raises:
        UserError: see ``read_panoptic``.
    """

    _content: PanopticFile | None = None  # while it is loaded

    def load_table(self) -> LabelTable:
        """Return the names of the file's categories."""
        self._content = read_panoptic(self.ann_file)
        return self._content.table

    def load_records(self) -> list[dict[str, Any]]:
        """Return a record for each image that has a panoptic map."""
        assert self._content is not None  # ``load_table`` comes first
        found, self._content = self._content.maps, None
        images = self.data_prefix.get("img_path") or ""
        maps = self.data_prefix.get("seg_map_path") or ""
        return [
            dict(
                img_path=osp.join(images, image["file_name"]),
                seg_map_path=osp.join(maps, name),
                img_id=image["id"],
                height=image["height"],
                width=image["width"],
                segments_info=segments,
            )
            for image, name, segments in found
        ]
