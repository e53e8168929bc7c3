"""Turns whatever a user gives into images: paths, folders, patterns, arrays, tensors, bytes."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, overload

import numpy as np
from PIL import Image

from ovdistill.core.errors import UserError
from ovdistill.core.images import ImageError, convert_image, decode_image, read_image
from ovdistill.inference.source_paths import FoundPaths, find_paths

STANDARD_INPUT = "-"
EXPECTED = (
    "expected a path, a folder, a pattern (photos/**/*.jpg), '-' for standard input, a PIL image, "
    "a numpy array, a torch tensor, the bytes of an image file, an open file, or a list of these"
)


@dataclass(frozen=True)
class ImageSource:
    """An image that has not been read yet.

    Attributes:
        name: the path, or "image", "image_3", "stdin" for an image that has none.
        path: the file, or None for an image in memory.
        load: returns the image, (H, W, 3) uint8 RGB; raises ``ImageError`` if it cannot be read.
    """

    name: str
    path: Path | None
    load: Callable[[], np.ndarray]


class ImageSources(Sequence[ImageSource]):
    """Images to read, in order.

    Attributes:
        single: whether one image is meant, rather than a list, a folder or a pattern.
        videos: files that are videos, if they were asked for.
        others: files in folders, or fitting patterns, that are neither.
        unreadable: folders that could not be listed, below those that were given.
    """

    def __init__(self) -> None:
        self.single = False
        self.videos: list[Path] = []
        self.others: list[Path] = []
        self.unreadable: list[Path] = []
        self._sources: list[ImageSource] = []
        self._given: set[str] = set()  # files that were given by their own path
        self._searched: set[str] = set()  # files that were found in folders

    def __len__(self) -> int:
        return len(self._sources)

    @overload
    def __getitem__(self, index: int) -> ImageSource: ...

    @overload
    def __getitem__(self, index: slice) -> list[ImageSource]: ...

    def __getitem__(self, index: int | slice) -> ImageSource | list[ImageSource]:
        return self._sources[index]

    def __repr__(self) -> str:
        return f"{len(self)} images, {len(self.others)} other files"

    def add(self, source: ImageSource) -> None:
        """Add an image."""
        self._sources.append(source)

    def add_paths(self, found: FoundPaths) -> None:
        """Add files.

        What a search finds is added once. A file that is given by its own path is added each time,
        so that a list of n files has n results.
        """
        self.others += found.others
        self.unreadable += [path for path in found.unreadable if path not in self.unreadable]
        for path in self._new(found.images, single=found.single):
            self.add(ImageSource(str(path), path, partial(read_image, path)))
        self.videos += self._new(found.videos, single=found.single)

    def _new(self, paths: Sequence[Path], *, single: bool) -> Iterator[Path]:
        """Yield the files that were not added before; see ``add_paths``."""
        real_folder = cache(os.path.realpath)
        for path in paths:
            key = os.path.join(real_folder(path.parent), path.name)
            if key in self._searched or (not single and key in self._given):
                continue
            (self._given if single else self._searched).add(key)
            yield path


def find_sources(source: Any, *, videos: bool = False) -> ImageSources:
    """Find the images that a user means. Only their names are looked at; ``load`` reads them.

    Args:
        source: one of these, or several in a list, a set, an iterator or whatever else yields them:

            - path of an image, or of a folder, which is searched with all folders below it;
            - pattern such as "photos/**/*.jpg";
            - "-": the bytes of an image file on standard input;
            - one of Pillow's images;
            - array: (H, W, 3) RGB, (H, W, 4) RGBA or (H, W) grey; uint8, or see ``array_to_rgb``;
            - torch tensor: (3, H, W) RGB, (4, H, W) RGBA or (1, H, W) grey; uint8 or 0..1;
            - bytes of an image file, or a file opened to read bytes.
        videos: find videos too; they stand in ``ImageSources.videos``.

    Returns:
        The images: of a list in its order, of a folder or a pattern in natural order (image 2
        before image 10). None for an empty list.

    Raises:
        UserError: nothing is there, a folder without images, a pattern that fits none, or a value
            of another type.
    """
    sources = ImageSources()
    sources.single = not _is_list(source)
    for name, value in _flatten(source, "image"):
        if isinstance(value, str | os.PathLike) and value != STANDARD_INPUT:
            found = find_paths(value, videos=videos)
            sources.add_paths(found)
            sources.single &= found.single
        else:
            sources.add(_source_in_memory(value, name))
    return sources


def _is_list(source: Any) -> bool:
    """Return whether a value holds images, rather than being one, or a path."""
    single = (str, os.PathLike, Image.Image, np.ndarray, bytes, bytearray, memoryview, Mapping)
    if isinstance(source, single) or _is_tensor(source) or hasattr(source, "read"):
        return False
    return isinstance(source, Iterable)


def _flatten(source: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield the values of nested lists, each with a name: image, image_0, image_0_1, ..."""
    if not _is_list(source):
        yield name, source
        return
    for number, value in enumerate(source):
        yield from _flatten(value, f"{name}_{number}")


def _source_in_memory(value: Any, name: str) -> ImageSource:
    """Return the source of an image that is no path."""
    if isinstance(value, str):
        return ImageSource("stdin", None, partial(decode_image, _read_standard_input(), "stdin"))
    if isinstance(value, Image.Image | np.ndarray):
        name = getattr(value, "filename", "") or name  # of Pillow's image that was opened by path
        return ImageSource(str(name), None, partial(convert_image, value, str(name)))
    if isinstance(value, bytes | bytearray | memoryview):
        return ImageSource(name, None, partial(decode_image, bytes(value), name))
    if _is_tensor(value):
        return ImageSource(name, None, lambda: convert_image(_array_of(value, name), name))
    if hasattr(value, "read"):
        given = getattr(value, "name", None)
        name = given if isinstance(given, str) else name
        return ImageSource(name, None, partial(decode_image, _read_file(value, name), name))
    raise UserError(f"got {name} of type {type(value).__name__}; {EXPECTED}")


def _is_tensor(value: Any) -> bool:
    """Return True for a torch tensor, without importing torch: who has a tensor has imported it."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _array_of(tensor: Any, name: str) -> np.ndarray:
    """Return a tensor (C, H, W) or (H, W) as an array (H, W, C) or (H, W)."""
    if tensor.ndim not in (2, 3) or (tensor.ndim == 3 and tensor.shape[0] not in (1, 3, 4)):
        hints = {3: ". If its channels are last: tensor.permute(2, 0, 1)", 4: ". Give list(tensor)"}
        raise ImageError(
            name,
            f"a tensor of shape {tuple(tensor.shape)}; expected (3, H, W), (4, H, W), (1, H, W) or "
            f"(H, W){hints.get(tensor.ndim, '')}",
        )
    tensor = tensor.detach().cpu()
    array = (tensor.float() if tensor.is_floating_point() else tensor).numpy()
    return array.transpose(1, 2, 0) if array.ndim == 3 else array


def _read_standard_input() -> bytes:
    if sys.stdin.isatty():
        raise UserError("got '-', but nothing is piped in: cat image.jpg | ...")
    return sys.stdin.buffer.read()


def _read_file(file: Any, name: str) -> bytes:
    """Return the bytes of an open file from its beginning, whatever was read or written before."""
    if not isinstance(file, io.TextIOBase):
        if getattr(file, "seekable", lambda: False)():
            file.seek(0)
        content = file.read()
        if isinstance(content, bytes):
            return content
    raise UserError(f"{name} is opened as text; expected bytes: open(path, 'rb')")
