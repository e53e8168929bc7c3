"""What a store of regions would state of the images of an annotation file."""

from __future__ import annotations

from collections.abc import Iterable

from ovdistill.datasets.annotations.values import Record
from ovdistill.store.stored_image import StoredImage


def stored_images(images: Iterable[Record]) -> dict[int, StoredImage]:
    """Return files and sizes by image id.

    Args:
        images: image records, as ``read_annotations`` returns them.
    """
    return {
        image["id"]: StoredImage.of_file(image["file_name"], (image["height"], image["width"]))
        for image in images
    }
