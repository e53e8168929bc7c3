"""Labelled images in a folder for each class, with texts made by templates."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ovdistill.core.images import read_image
from ovdistill.datasets.class_folders import read_class_folders, read_class_names
from ovdistill.teacher_training.data.registry import register_source
from ovdistill.teacher_training.data.source import Pair, PairSource
from ovdistill.vocabulary.prompts import fill_template, read_templates

LOGGER = logging.getLogger(__name__)


@register_source
class ImageFolders(PairSource):
    """Images in a folder for each class, as ImageNet has them; the text is a prompt with its name.

    Args:
        folder: the folder of the class folders.
        names: None: the folders are called like their classes; or see ``read_class_names``.
        templates: see ``read_templates``; one is drawn each time.
        weight: see ``PairSource``.

    Raises:
        UserError: see ``read_class_folders``, ``read_class_names`` and ``read_templates``.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        names: str | os.PathLike[str] | None = None,
        templates: str | os.PathLike[str] | Sequence[str] = "single",
        weight: float | None = None,
    ) -> None:
        super().__init__(weight)
        found = read_class_folders(Path(folder))
        named = read_class_names(found, None if names is None else Path(names))
        self.templates = read_templates(templates)
        self.files = [(path, named[own]) for own, images in found.images.items() for path in images]
        self.class_names = [named[own] for own, images in found.images.items() if images]
        if found.others or found.empty:
            LOGGER.warning(
                "%s: %d files are no images or lie beside the class folders, and %d class folders "
                "have no image; they are left out",
                *(found.folder, found.others, len(found.empty)),
            )

    def __len__(self) -> int:
        return len(self.files)

    def load(self, index: int, rng: np.random.Generator) -> Pair:
        """Load a pair, see ``PairSource``."""
        path, name = self.files[index]
        template = self.templates[rng.integers(len(self.templates))]
        return Pair(read_image(path), fill_template(template, name), name)
