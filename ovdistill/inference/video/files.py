"""Tells videos from images by their names."""

from __future__ import annotations

from pathlib import Path

from ovdistill.core.images import ImageError, open_image

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv")
ANIMATION = ".gif"


def is_video(path: Path) -> bool:
    """Return True for a file with the suffix of a video, and for a GIF file with several images."""
    suffix = path.suffix.lower()
    return suffix in VIDEO_SUFFIXES or (suffix == ANIMATION and _is_animated(path))


def _is_animated(path: Path) -> bool:
    try:
        with open_image(path) as image:
            return image.format == "GIF" and bool(getattr(image, "is_animated", False))
    except ImageError:  # the reader of images says it too
        return False
