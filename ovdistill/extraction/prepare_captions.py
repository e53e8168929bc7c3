"""The preparation step that embeds the captions of the training images."""

from __future__ import annotations

import logging
from pathlib import Path

from mmengine.config import Config

from ovdistill.core.files import hash_file
from ovdistill.datasets.annotations.captions import ImageNames
from ovdistill.extraction import stale
from ovdistill.extraction.captions import extract_captions
from ovdistill.extraction.config_inputs import training_annotations, training_dataset
from ovdistill.extraction.teacher_origin import teacher_origin
from ovdistill.store import CaptionStore

LOGGER = logging.getLogger(__name__)


def prepare_captions(config: Config, path: str, annotations: str) -> None:
    """Embed the captions of the training images and their noun phrases with the teacher.

    Args:
        config: its ``teacher`` embeds the texts.
        path: the store of captions to write.
        annotations: the captions in COCO's format, such as captions_train2017.json.

    Raises:
        UserError: captions of other images than those of the training, a store at ``path`` that was
            made from other captions, or see ``extract_captions``.
    """
    if Path(path).is_file():
        stale.refuse({path: caption_differences(config, path, annotations)})
        LOGGER.info("captions: %s (%d images)", path, len(CaptionStore(path)))
        return
    listed = training_dataset(config).get("ann_file")  # else all images of a folder
    images = ImageNames.of_file(training_annotations(config)) if listed else None
    extract_captions(config, annotations, path, images)


def caption_differences(config: Config, path: str, annotations: str) -> list[str]:
    """Describe how the store at ``path`` differs from what ``prepare_captions`` would make.

    ``check_teachers`` compares the teacher; here its local files are.

    Raises:
        UserError: a damaged store.
    """
    if not Path(path).is_file():
        return []
    header = CaptionStore(path).header
    there_is = Path(annotations).is_file()
    now = {"annotations_hash": hash_file(annotations)} if there_is else {}
    return stale.differences(header, now | teacher_origin(config.teacher))
