"""Find what was prepared from other inputs than a config names now, and refuse it.

Each step keeps, with its result, digests of what it was made from. A result of other inputs is
never used: proposals of another split would have seen boxes of novel classes, and regions of other
crops are other targets. It is never replaced either: it may have taken hours, and checkpoints may
rest on it. The error names every difference and the command that deletes the results.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.core.files import hash_file

MOST_NAMES = 5  # of a difference that are named


def digest(source: Any) -> str:
    """Return 16 hex digits that identify an input.

    Args:
        source: the path of a file, whose content counts, or plain JSON values.
    """
    if isinstance(source, (str, os.PathLike)) and os.path.isfile(source):
        return hash_file(source)
    text = json.dumps(source, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def without_initial_weights(value: Any) -> Any:
    """Return a model's config without the weights that it starts from, which a machine may lack."""
    if isinstance(value, Mapping):
        return {k: without_initial_weights(v) for k, v in value.items() if k != "init_cfg"}
    if isinstance(value, (list, tuple)):
        return [without_initial_weights(item) for item in value]
    return value


def differences(there: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Describe the values that differ; a key that only one of the two has says nothing."""
    return [
        f"{key}: {there[key]} there, {now[key]} now"
        for key in now
        if key in there and there[key] != now[key]
    ]


def some(names: Iterable[str]) -> str:
    """Return names for a message: the first ones, and how many more there are."""
    names = sorted(names)
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(map(repr, names[:MOST_NAMES])) + more


def refuse(stale: Mapping[str, list[str]]) -> None:
    """Raise UserError if any result differs from what the config names.

    Args:
        stale: the differences of each result, by its path.
    """
    found = {path: lines for path, lines in stale.items() if lines}
    if not found:
        return
    report = "".join(f"\n  {path}\n    " + "\n    ".join(found[path]) for path in found)
    raise UserError(
        f"prepared earlier, from other inputs than this config names:{report}\n"
        "Go back to what they were made from, or name other paths (--cfg-options cache=DIR, "
        "vocabulary=FILE, proposals=FILE, regions=DIR), or delete them, and they are made again; "
        "checkpoints that were trained with them then need their own copies:\n"
        f"  rm -r {' '.join(map(shlex.quote, found))}"
    )
