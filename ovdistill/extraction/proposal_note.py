"""The note beside a proposal network's checkpoint: what it was trained on, and at which size.

The note is a JSON file. A checkpoint without one, such as a user's own, is taken as it is: nothing
is known of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.core.files import hash_file, write_json
from ovdistill.core.header_values import TEXT, list_of
from ovdistill.core.json_files import read_json


def origin_path(checkpoint: str | Path) -> Path:
    """Return the path of the note beside a checkpoint: ``proposals.origin.json``."""
    return Path(checkpoint).with_suffix(".origin.json")


def write_note(
    checkpoint: str | Path, origin: Mapping[str, Any], content: str | Path | None = None
) -> None:
    """Write the note beside a checkpoint, which holds for this very file only.

    Args:
        checkpoint: the file.
        origin: plain JSON values.
        content: a file that is going to be the checkpoint; None where the checkpoint is there. The
            note is written first, so that no checkpoint stays without one.
    """
    write_json(origin_path(checkpoint), {**origin, "checkpoint": hash_file(content or checkpoint)})


def read_note(checkpoint: str | Path) -> Mapping[str, Any] | None:
    """Return the note of a checkpoint; None if there is none of this very file.

    Raises:
        UserError: the note is damaged.
    """
    note = origin_path(checkpoint)
    if not Path(checkpoint).is_file() or not note.is_file():
        return None
    there = read_json(note, "note on a proposal network")
    if not isinstance(there, dict) or not (_fits(there) or "published" in there):
        raise UserError(
            f"{note} is damaged. Delete it if you know what the network beside it was trained on, "
            "or delete both to make it again."
        )
    return there if there.get("checkpoint") == hash_file(checkpoint) else None


def _fits(note: Mapping[str, Any]) -> bool:
    within = note.get("enlarge_within")
    sized = within is None or (
        isinstance(within, list) and [type(side) for side in within] == [int, int]
    )
    return sized and list_of(TEXT).fits(note.get("base"))
