"""Label maps of OVShapes, made from its annotations when an image is loaded.

The benchmark's annotations are the visible parts of its objects, so the masks of an image do not
overlap, and what they leave free is the background, whose kind the caption says. There is no second
file to go stale.
"""

from __future__ import annotations

import os.path as osp
from typing import Any

from mmdet.registry import DATASETS

from ovdistill.core.errors import UserError
from ovdistill.datasets.annotations import read_annotations, read_captions
from ovdistill.ovshapes.categories import BACKGROUNDS, caption_background, category_names
from ovdistill.segmentation.data.dataset import SegmentationDataset

STUFF = {kind: len(category_names()) + 1 + index for index, kind in enumerate(BACKGROUNDS)}


@DATASETS.register_module()
class OVShapesSegmentationDataset(SegmentationDataset):
    """OVShapes with label maps: 65 kinds of objects, and 6 backgrounds that are stuff.

    Values are category ids, and 66 to 71 for the backgrounds in the order of ``BACKGROUNDS``.
    Records have ``segments``, a list of (value, mask), and ``stuff_value``, the background.

    Args:
        ann_file: instances_SUBSET.json; captions_SUBSET.json lies beside it.
        data_prefix: ``img_path``, the folder of the images.
        **kwargs: as ``SegmentationDataset``; ``labels`` is 'ovshapes'.

    Raises:
        UserError: see ``read_annotations``; or a caption that names no background.
    """

    def __init__(self, *, labels: str = "ovshapes", **kwargs: Any) -> None:
        super().__init__(labels=labels, **kwargs)

    def load_records(self) -> list[dict[str, Any]]:
        """Return a record for each image of the annotation file."""
        annotations = read_annotations(self.ann_file)
        folder, name = osp.split(self.ann_file)
        captions = osp.join(folder, name.replace("instances", "captions"))
        backgrounds = {
            image_id: caption_background(texts[0])
            for image_id, texts in read_captions(captions).items()
        }
        images = self.data_prefix.get("img_path") or ""
        return [
            dict(
                img_path=osp.join(images, image["file_name"]),
                img_id=image["id"],
                height=image["height"],
                width=image["width"],
                stuff_value=_stuff_value(backgrounds.get(image["id"], ""), captions, image["id"]),
                segments=[
                    (item["category_id"], item["segmentation"])
                    for item in annotations.by_image.get(image["id"], [])
                ],
            )
            for image in annotations.images
        ]


def _stuff_value(background: str, captions: str, image_id: int) -> int:
    if background not in STUFF:
        raise UserError(
            f"{captions} names no background of image {image_id}; expected the files that "
            "`ovdistill make-ovshapes` writes, captions beside instances"
        )
    return STUFF[background]
