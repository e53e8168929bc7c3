"""The preparation step that extracts the teacher's regions of the training images."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ovdistill.core.devices import choose_device
from ovdistill.core.distributed import get_rank, get_world_size, is_main_process
from ovdistill.core.files import hash_file
from ovdistill.extraction import stale
from ovdistill.extraction.config_inputs import (
    network_proposals,
    proposal_network,
    training_images,
    training_source,
)
from ovdistill.extraction.extract import ExtractionSettings, extract
from ovdistill.extraction.proposals import network_digest
from ovdistill.extraction.teacher_origin import teacher_origin
from ovdistill.store import TeacherStore
from ovdistill.store.meta import NAME, StoreMeta, check_regions, read_meta
from ovdistill.store.same_images import image_changes
from ovdistill.store.same_plan import network_checkpoint
from ovdistill.store.stored_image import StoredImage
from ovdistill.teacher import build_teacher, region_policy
from ovdistill.teacher.region_policy import CROPS, describe

LOGGER = logging.getLogger(__name__)


def prepare_regions(config: Config, path: str, per_image: int) -> None:
    """Extract the teacher's regions of the training images. All processes share the work.

    Args:
        config: the network of its ``prepare.proposals`` proposes the boxes, its ``teacher`` embeds
            them.
        path: the store to make, or to finish.
        per_image: the largest number of regions of an image.

    Raises:
        UserError: a complete store that was made from other inputs or has no region, or see
            ``extract``.
    """
    folder = Path(path)
    if folder.is_file() or (folder / NAME).is_file():
        meta = read_meta(folder)
        if meta.counts:
            if is_main_process():
                stale.refuse({path: region_differences(config, path, per_image)})
                check_regions(folder, meta)
                LOGGER.info("regions: %s (%s)", path, meta.summary)
            return
    device = choose_device()  # with GPUs, the one that was set for this process
    extract(
        training_images(config),
        network_proposals(config, device),
        build_teacher(config.teacher, device),
        folder,
        ExtractionSettings(per_image=per_image, rank=get_rank(), world_size=get_world_size()),
        training_source(config) | teacher_origin(config.teacher),
    )
    # not a barrier, which would time out if another process needs much longer
    while not read_meta(folder).counts:
        time.sleep(1)


def region_differences(config: Config, path: str, per_image: int) -> list[str]:
    """Describe how a complete store differs from what ``prepare_regions`` would make.

    More regions of an image, more images, and boxes of another source (which a user chose with
    `ovdistill extract --proposals`) are no difference. ``check_teachers`` compares the teacher, of
    which the local files are compared here; ``extract`` compares the plan of a store that is not
    complete.

    Raises:
        UserError: a damaged store.
    """
    folder = Path(path)
    if not (folder / NAME).is_file() or not (meta := read_meta(folder)).counts:
        return []
    found = stale.differences(meta.origin, teacher_origin(config.teacher))
    found += _proposal_differences(config, meta) + _image_differences(config, folder, meta)
    if (count := meta.provenance.get("per_image", per_image)) < per_image:
        found.append(f"regions of an image: {count} there, {per_image} now")
    if config.teacher.get("type", "OpenCLIPTeacher") == "OpenCLIPTeacher":
        crops = describe(region_policy(config.teacher.get("crops")))
        found += [f"crops: {line}" for line in stale.differences(_crops(meta), crops)]
    return found


def _crops(meta: StoreMeta) -> dict[str, Any]:
    """Return how the regions of a store were embedded; {} for a store that does not say."""
    crops = meta.provenance.get("crops")
    return {"mode": CROPS, **crops} if isinstance(crops, dict) else {}


def _proposal_differences(config: Config, meta: StoreMeta) -> list[str]:
    """Compare the proposal network, where the boxes are of the one that the config names.

    It is the same one if it is at the same place, however the path is spelled, or the same file.
    """
    step = config.get("prepare", {}).get("proposals") or {}
    made = meta.provenance.get("proposals")
    checkpoint = str(step.get("checkpoint") or "")
    if not isinstance(made, dict) or made.get("kind") != "network" or not checkpoint:
        return []
    if not Path(checkpoint).is_file():
        return []
    own = hash_file(checkpoint)
    is_there = Path(network_checkpoint(made)).resolve() == Path(checkpoint).resolve()
    if not is_there and made.get("hash") != own:
        return []
    now = {"hash": own, "network": network_digest(proposal_network(config))}
    there = {"hash": made.get("hash"), **meta.origin}
    return [f"proposals: {line}" for line in stale.differences(there, now)]


def _image_differences(config: Config, folder: Path, meta: StoreMeta) -> list[str]:
    """Tell which training images are not in a store, or other files there."""
    if meta.origin.get("source") == training_source(config)["source"]:
        return []
    files = training_images(config)
    store = TeacherStore(folder)
    missing = [f.image_id for f in files if f.image_id not in store.known_ids]
    if missing:
        lost = f"{len(missing)} of {len(files)} training images are not in it"
        return [f"{lost} (id {missing[0]}, ...)"]
    now = {f.image_id: StoredImage.of_file(f.path, f.size) for f in files if f.size}
    changes = image_changes(store, now)
    return [changes] if changes else []
