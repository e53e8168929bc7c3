"""Find a config: a file by its path, or a shipped recipe by its name."""

from __future__ import annotations

from pathlib import Path

from ovdistill.core.errors import UserError
from ovdistill.core.text import did_you_mean

PACKAGE = Path(__file__).parents[1]
# an installed package has the recipes inside, a checkout beside the package
FOLDERS = (PACKAGE / "configs", PACKAGE.parent / "configs")
TEACHERS = "teachers"  # the folder below it of those that train a teacher
MOST_NAMES = 5  # that an error lists


def recipe_folder() -> Path:
    """Return the folder of the shipped recipes.

    Raises:
        UserError: this installation has none.
    """
    for folder in FOLDERS:
        if (folder / "_base_").is_dir():
            return folder
    raise UserError(f"no recipes in {' or '.join(map(str, FOLDERS))}; install ovdistill again")


def recipe_names() -> list[str]:
    """Return the names of the shipped recipes of detectors, sorted."""
    return sorted(path.stem for path in recipe_folder().glob("*.py"))


def find_recipe(name: str | Path) -> Path:
    """Return the path of a config.

    Args:
        name: path of a file, or name of a shipped recipe, with or without ``.py``.

    Raises:
        UserError: neither exists; the message names recipes of similar names.
    """
    path = Path(name)
    try:
        if path.is_file():
            return path
        is_folder = path.is_dir()
    except OSError as error:  # too long a name, or a folder that may not be read
        raise UserError(f"no config file {str(name)[:200]} ({error.strerror})") from None
    file = f"{str(name).removesuffix('.py')}.py"
    for shipped in (recipe_folder() / file, recipe_folder() / TEACHERS / file):
        if path.name == str(name) and shipped.is_file():
            return shipped
    if is_folder:
        held = ", ".join(sorted(file.name for file in path.glob("*.py"))[:MOST_NAMES])
        raise UserError(f"got the folder {name}; expected a config file: {held or 'it holds none'}")
    hint = did_you_mean(path.stem, recipe_names(), f"such as {recipe_names()[0]}")
    raise UserError(
        f"no config file {str(name)[:200]}; expected a file, or the name of a recipe: {hint}"
    )
