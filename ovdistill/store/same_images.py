"""Find regions that are of other images than their ids say now.

Regions are found by image id. An annotation file that was exported again may have given the ids of
a store to other files.
"""

from __future__ import annotations

from collections.abc import Mapping

from ovdistill.core.errors import UserError
from ovdistill.store.shard import read_index
from ovdistill.store.stored_image import StoredImage
from ovdistill.store.teacher_store import TeacherStore


def image_changes(store: TeacherStore, images: Mapping[int, StoredImage]) -> str:
    """Describe images whose files are others than those that a store was made of.

    Args:
        store: the store. One of an earlier version states no files, and nothing is said of it.
        images: what the ids mean now; ids that are not in the store are not looked at.

    Returns:
        A sentence without its end, or "" if all are the same.
    """
    shared, changes = 0, []
    for number in range(store.meta.shards):
        index = read_index(store.folder, number, store.meta.fingerprint)
        if not index.images:
            continue
        for image_id, there in zip(index.image_ids.tolist(), index.images, strict=True):
            now = images.get(image_id)
            shared += now is not None
            if now is not None and now != there:
                changes.append((image_id, there, now))
    if not changes:
        return ""
    image_id, there, now = changes[0]
    return (
        f"{len(changes)} of {shared} images are other files: id {image_id} was {there}, "
        f"and is {now} now"
    )


def check_same_images(
    store: TeacherStore, images: Mapping[int, StoredImage], annotations: object
) -> None:
    """Raise UserError if ids of a store mean other images now; see ``image_changes``.

    Args:
        store: the store.
        images: what the ids mean.
        annotations: the file that says so, for the message.
    """
    if found := image_changes(store, images):
        raise UserError(
            f"store {store.folder} is not of the images of {annotations}: {found}. Name the "
            "annotation file that the store was made for, or extract its regions again"
        )
