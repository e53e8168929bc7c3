"""Which images a data set with label maps has: a list of names, or all files of a folder."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from ovdistill.core.errors import UserError
from ovdistill.core.image_folders import list_folder

LOGGER = logging.getLogger(__name__)


def read_list(path: str | os.PathLike[str]) -> list[str]:
    """Read a list of image names.

    Args:
        path: a text file with a name a line. Spaces around names and empty lines do not count.

    Returns:
        The names in the order of the file.

    Raises:
        UserError: no such file, one that is no text, without a name, or with one twice.
    """
    try:
        lines = Path(path).read_text("utf-8-sig").splitlines()  # some editors write a mark first
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"cannot read the list of images {path} ({error}); expected a name a line, in UTF-8"
        ) from None
    names = [name for name in map(str.strip, lines) if name]
    if not names:
        raise UserError(f"the list of images {path} is empty; expected a name in each line")
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise UserError(
            f"the list of images {path} has {len(names) - len({*names})} names too many: "
            f"{name!r:.80} stands in it {count} times; expected each once. "
            f"`awk '!seen[$0]++' {path}` prints the others."
        )
    return names


def names_in_folder(folder: str | os.PathLike[str], suffix: str, *, tell: bool = True) -> list[str]:
    """Return the names of the images of a folder and of those below it, in order.

    Args:
        folder: the folder.
        suffix: what the files end with, such as ".jpg"; it is no part of the names.
        tell: warn of images that end with something else, ".JPG" for one, and are left out.

    Raises:
        UserError: a folder that cannot be listed.
    """
    folder = Path(folder)
    try:
        content = list_folder(folder)
    except OSError as error:
        raise UserError(f"cannot list {folder} ({error.strerror})") from error
    found = [path for path in (*content.images, *content.others) if path.name.endswith(suffix)]
    left_out = [path for path in content.images if not path.name.endswith(suffix)]
    if tell and found and left_out:
        LOGGER.warning(
            "%d images of %s do not end with %s and are left out, such as %s",
            *(len(left_out), folder, suffix, left_out[0].name),
        )
    return [
        path.relative_to(folder).as_posix()[: -len(suffix)] for path in sorted(found, key=os.fspath)
    ]


def missing_files(paths: Iterable[str]) -> list[str]:
    """Return the files that are not there; each folder is listed once, which is fast.

    Args:
        paths: of files.
    """
    there: dict[str, set[str]] = {}
    missing = []
    for path in paths:
        folder, name = os.path.split(path)
        if folder not in there:
            try:
                there[folder] = set(os.listdir(folder or "."))
            except OSError:
                there[folder] = set()
        if name not in there[folder]:
            missing.append(path)
    return missing
