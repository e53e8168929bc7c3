"""Label maps of OVShapes, made from its annotations when an image is loaded.

The benchmark's annotations are the visible parts of its objects, so the masks of an image do not
overlap, and what they leave free is the background. There is no second file to go stale.

The six kinds of background that captions name are one class here. The teacher embeds four of these
kinds as almost the same text (cosines from 0.990 to 0.999), so that a classifier made of texts
cannot tell them apart, whatever it has learned.
"""

from __future__ import annotations

import os.path as osp
from typing import Any

from mmdet.registry import DATASETS

from ovdistill.datasets.annotations import read_annotations
from ovdistill.ovshapes.categories import category_names
from ovdistill.segmentation.data.dataset import SegmentationDataset

BACKGROUND_VALUE = len(category_names()) + 1


@DATASETS.register_module()
class OVShapesSegmentationDataset(SegmentationDataset):
    """OVShapes with label maps: 65 kinds of objects, and the background, which is stuff.

    Values are category ids, and 66 for the background. Records have ``segments``, a list of (value,
    mask), and ``stuff_value``, the background.

    Args:
        ann_file: instances_SUBSET.json.
        data_prefix: ``img_path``, the folder of the images.
        **kwargs: as ``SegmentationDataset``; ``labels`` is 'ovshapes'.

    Raises:
        UserError: see ``read_annotations``.
    """

    def __init__(self, *, labels: str = "ovshapes", **kwargs: Any) -> None:
        super().__init__(labels=labels, **kwargs)

    def load_records(self) -> list[dict[str, Any]]:
        """Return a record for each image of the annotation file."""
        annotations = read_annotations(self.ann_file)
        images = self.data_prefix.get("img_path") or ""
        return [
            dict(
                img_path=osp.join(images, image["file_name"]),
                img_id=image["id"],
                height=image["height"],
                width=image["width"],
                stuff_value=BACKGROUND_VALUE,
                segments=[
                    (item["category_id"], item["segmentation"])
                    for item in annotations.by_image.get(image["id"], [])
                ],
            )
            for image in annotations.images
        ]
