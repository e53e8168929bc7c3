"""Images of a training that cannot be used: skipped and counted, up to a limit.

The list is a text file in the work dir, a line for each image: its path, a tab, the problem. Worker
processes and ranks append to it, so an image counts once, whoever meets it and however often.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.core.text import printable

LOGGER = logging.getLogger(__name__)
NAME = "bad_images.txt"  # in the work dir
READERS = ("LoadImage", "LoadPicture")  # the transforms that take a limit


class BadImages:
    """The list of a training's bad images.

    Args:
        path: the file, which is made with the first bad image.
        limit: the largest number of images that are skipped.
    """

    def __init__(self, path: str | os.PathLike[str], limit: int) -> None:
        self.path = Path(path)
        self.limit = limit

    def add(self, image: str, problem: str) -> None:
        """Add an image, unless it is in the list.

        Raises:
            UserError: the list is longer than the limit, or cannot be written.
        """
        if printable(image) not in self.problems():
            LOGGER.warning("skipped image %s: %s", image, problem)
            self._append(f"{printable(image)}\t{printable(problem)}\n")
        count = len(self.problems())
        if count > self.limit:
            raise UserError(
                f"{count} images could not be used, with --max-bad-images {self.limit}. The last "
                f"one is {image}: {problem}. All are in {self.path}: fetch them again or correct "
                "the annotation file, or allow more."
            )

    def problems(self) -> dict[str, str]:
        """Return the problem of each image in the list, by its path as ``printable`` shows it."""
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return {}
        return {image: problem for image, _, problem in (line.partition("\t") for line in lines)}

    def _append(self, line: str) -> None:
        # one write to the end, so that the lines of several processes do not mix
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        try:
            descriptor = os.open(self.path, flags, 0o644)
            try:
                os.write(descriptor, line.encode())
            finally:
                os.close(descriptor)
        except OSError as error:
            raise UserError(f"cannot write {self.path} ({error.strerror})") from error


def allow_bad_images(config: Mapping[str, Any], work_dir: str, limit: int) -> BadImages:
    """Let the training of a config skip images that cannot be used.

    Args:
        config: its ``train_dataloader`` is changed.
        work_dir: folder of the list.
        limit: the largest number of images that are skipped; 0 = the first one is an error.
    """
    listed = BadImages(Path(work_dir) / NAME, limit)
    for step in _readers(config["train_dataloader"]["dataset"]):
        step.update(max_bad_images=limit, bad_images=str(listed.path))
    return listed


def _readers(node: Any) -> list[Any]:
    """Return the steps below a part of a config that read an image."""
    if isinstance(node, Mapping):
        own = [node] if node.get("type") in READERS else []
        return own + [step for value in node.values() for step in _readers(value)]
    if isinstance(node, (list, tuple)):
        return [step for value in node for step in _readers(value)]
    return []
