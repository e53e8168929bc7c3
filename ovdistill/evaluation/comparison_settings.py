"""What a run of a comparison was made with: noted beside it, and compared before it counts as done.

A training notes it in the folder of its run, a test in that of its results.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.core.files import write_json
from ovdistill.core.header_values import TEXT, expect, list_of, optional
from ovdistill.evaluation.comparison_rows import Row
from ovdistill.evaluation.result_files import read_object

FILE = "made_with.json"
KINDS = {
    "config": TEXT,
    "options": list_of(TEXT),
    "cfg_options": list_of(TEXT),
    "data_root": TEXT,
    "starts_from": optional(TEXT),
    "trained_as": optional(TEXT),
    "test_flags": list_of(TEXT),
}
Settings = dict[str, Any]


def run_settings(
    row: Row, options: Sequence[str], cfg_options: Sequence[str], data_root: str
) -> Settings:
    """Return what a run is made with, as plain JSON values.

    Args:
        row: of the run.
        options: overrides of the config that the row and the variant of the benchmark have.
        cfg_options: those that the user gives beside them.
        data_root: folder of the data.
    """
    return dict(
        config=row.config,
        options=[*options],
        cfg_options=[*cfg_options],
        data_root=data_root,
        starts_from=row.starts_from,
        trained_as=row.trained_as,
        test_flags=[*row.test_flags],
    )


def write_settings(folder: Path, settings: Settings) -> None:
    """Note in a folder what it is made with."""
    write_json(folder / FILE, settings)


def read_settings(folder: Path) -> Settings | None:
    """Return what a folder was made with; None if it does not say, as in earlier versions.

    Raises:
        UserError: a damaged file.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    found = read_object(path, FILE)
    try:
        return {key: expect(found, key, kind) for key, kind in KINDS.items()}
    except ValueError as error:
        raise UserError(
            f"{path} is damaged: {error}. Delete {folder}, and compare again."
        ) from None


def changed_settings(before: Settings, now: Settings, *, tested: bool) -> list[str]:
    """Return what differs between the settings of two runs, a text for each.

    The folder of the data does not count, nor that of the config: they may have moved.

    Args:
        before: of the run that is there.
        now: of the one that is asked for.
        tested: those of the test count too.
    """
    old, new = (_compared(settings, tested=tested) for settings in (before, now))
    return [
        f"{key} was {old.get(key, 'not given')}, is {new.get(key, 'not given')}"
        for key in dict.fromkeys((*old, *new))
        if old.get(key) != new.get(key)
    ]


def _compared(settings: Mapping[str, Any], *, tested: bool) -> dict[str, str]:
    """Return the settings that count, by a name for people; of an override the last one."""
    named = {"config": Path(settings["config"]).stem, "starts_from": settings["starts_from"]}
    if tested:
        named["trained_as"] = settings["trained_as"]
        named["test_flags"] = " ".join(settings["test_flags"])
    words = (*settings["cfg_options"], *settings["options"])
    overrides = {key: value for key, _, value in (word.partition("=") for word in words)}
    return {key: value for key, value in named.items() if value} | overrides
