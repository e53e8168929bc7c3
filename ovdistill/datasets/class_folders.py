"""Labelled images in a folder for each class, as ImageNet has them: ``val/n01440764/0001.jpg``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ovdistill.core.errors import UserError
from ovdistill.core.image_folders import list_folder
from ovdistill.core.text import did_you_mean
from ovdistill.datasets.names import read_names, read_text
from ovdistill.datasets.names.from_tables import plain_header, table_rows
from ovdistill.vocabulary.names import check_names

FOLDER, NAME = "folder", "name"  # columns of a table of names
SUBSETS = frozenset("train training val valid validation test".split())


@dataclass(frozen=True)
class ClassFolders:
    """The images of a folder of class folders.

    Attributes:
        folder: the folder.
        images: the images of each class folder and of the folders below it, by its name; folders
            are in the order of their names, as torchvision's ``ImageFolder`` has them.
        others: how many files are no images, or lie beside the class folders.
    """

    folder: Path
    images: Mapping[str, Sequence[Path]]
    others: int

    @property
    def empty(self) -> list[str]:
        """Class folders without an image."""
        return [name for name, images in self.images.items() if not images]


def read_class_folders(folder: Path) -> ClassFolders:
    """Find the images of each class folder. Folders whose names begin with a dot are left out.

    Raises:
        UserError: the folder cannot be listed, or fewer than two of its folders hold images.
    """
    try:
        names = sorted(p.name for p in folder.iterdir() if p.is_dir() and p.name[:1] != ".")
        content = {name: list_folder(folder / name) for name in names}
        beside = list_folder(folder, depth=1)
    except OSError as error:
        raise UserError(f"cannot list {folder} ({error.strerror})") from error
    others = sum(len(own.others) for own in content.values())
    others += len(beside.images) + len(beside.others)
    found = ClassFolders(folder, {name: own.images for name, own in content.items()}, others)
    if len(names) - len(found.empty) < 2:
        raise UserError(_too_few(found, len(beside.images)))
    return found


def read_class_names(found: ClassFolders, source: Path | None) -> dict[str, str]:
    """Return the class name of each class folder.

    Args:
        found: the folders.
        source: None for the names of the folders; a table (.csv, .tsv) with the columns 'folder'
            and 'name', which may have others and rows of other folders; or a file of names alone,
            see ``read_names``, with one for each folder, in the order of the folders' names.

    Raises:
        UserError: a file that cannot be read, a table of other columns, a folder without a name,
            another number of names than folders, or two folders of one class.
    """
    folders = [*found.images]
    if source is None:
        names = dict(zip(folders, folders, strict=True))
    elif (table := _read_table(source)) is not None:
        names = _look_up(folders, table, source)
    else:
        listed = read_names(source).names
        if len(listed) != len(folders):
            raise UserError(
                f"{source} has {len(listed)} names, {found.folder} {len(folders)} class folders; "
                f"expected one for each, in the order of the folders' names, or a table with the "
                f"columns {FOLDER!r} and {NAME!r}"
            )
        names = dict(zip(folders, listed, strict=True))
    check_names(names.values(), str(source or found.folder))
    return names


def _too_few(found: ClassFolders, beside: int) -> str:
    """Say what is there in place of two class folders with images."""
    folders = [*found.images]
    named = f" ({', '.join(folders[:3])}{', ...' if len(folders) > 3 else ''})" if folders else ""
    text = (
        f"{found.folder} has {len(folders)} folders{named}, {len(folders) - len(found.empty)} of "
        f"them with images, and {beside} images beside them; expected a folder of images for each "
        "of at least two classes"
    )
    if subsets := [name for name in folders if name.lower() in SUBSETS]:
        text += f": name one of its subsets, such as {found.folder / subsets[-1]}"
    return text


def _read_table(path: Path) -> dict[str, str] | None:
    """Return the names by folder of a table; None for a table of one column, or no table.

    Raises:
        UserError: other columns, a row without both cells, or a folder twice.
    """
    if path.suffix.lower() not in (".csv", ".tsv"):
        return None
    try:
        rows = table_rows(read_text(path), "\t" if path.suffix.lower() == ".tsv" else None)
    except ValueError as error:
        raise UserError(f"cannot read {path} as a table ({error})") from error
    headers = [plain_header(cell) for cell in rows[0]]
    if len(headers) == 1:
        return None
    if headers.count(FOLDER) != 1 or headers.count(NAME) != 1:
        raise UserError(
            f"{path} has the columns {', '.join(map(repr, rows[0]))[:200]}; expected {FOLDER!r} "
            f"and {NAME!r}, or names alone, in the order of the folders' names"
        )
    table: dict[str, str] = {}
    for number, row in enumerate(rows[1:], start=2):
        folder, name = row[headers.index(FOLDER)], row[headers.index(NAME)]
        if not folder or not name or folder in table:
            raise UserError(
                f"{path}, row {number}: folder {folder!r:.60}, name {name!r:.60}; expected both, "
                "and each folder once"
            )
        table[folder] = name
    return table


def _look_up(folders: Sequence[str], table: Mapping[str, str], source: Path) -> dict[str, str]:
    unknown = [folder for folder in folders if folder not in table]
    if unknown:
        hint = did_you_mean(unknown[0], table, "expected a row for each class folder")
        raise UserError(
            f"{source} has no name for {len(unknown)} of {len(folders)} class folders (the first: "
            f"{unknown[0]!r:.60}); {hint}"
        )
    return {folder: table[folder] for folder in folders}
