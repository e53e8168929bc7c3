"""Errors that values of a config cause in mmengine, as errors of the user.

mmengine raises KeyError, TypeError or AssertionError for a component that is not registered and for
arguments that it does not take, like for a defect. What is raised while a component of the config
is made counts as an error of the config here; ``--log-level debug`` shows where it was raised.
"""

from __future__ import annotations

import re
import sys
from difflib import get_close_matches
from types import TracebackType
from typing import Any

from ovdistill.core.errors import UserError

NOT_REGISTERED = re.compile(r"(\S+) is not in the \S+ registry|Failed to get (\S+)")
NO_KEY = re.compile(r"'(?:ConfigDict|Config)' object has no attribute '(\w+)'")
LOST_PEER = re.compile(r"closed by peer|reset by peer|gloo.*timed? ?out", re.IGNORECASE)


class PeerLost(UserError):
    """Another process that runs the same command has ended early."""

    exit_code = 1


def user_error(error: Exception) -> UserError | None:
    """Return the error to report in place of one that a config or a lost process caused, or None.

    Args:
        error: what a command raised.
    """
    if isinstance(error, (UserError, OSError, MemoryError)):
        return None
    if isinstance(error, RuntimeError) and LOST_PEER.search(str(error)):
        return PeerLost("another process of this command has ended; see its message")
    if isinstance(error, AttributeError) and (match := NO_KEY.search(str(error))):
        return UserError(f"the config has no {match[1]!r}, which this command needs")
    component = _component(error.__traceback__)
    if component is None:
        return None
    if match := NOT_REGISTERED.search(str(error)):
        return UserError(_not_registered((match[1] or match[2]).strip("'\"")))
    lines = str(error).splitlines()
    reason = f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
    return UserError(f"the component {component!r} of the config cannot be made: {reason}")


def _component(traceback: TracebackType | None) -> Any:
    """Return the ``type`` of the component in whose making an error was raised, None outside."""
    found = None
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code.co_name == "build_from_cfg":
            config = frame.f_locals.get("cfg")
            found = config.get("type", "?") if isinstance(config, dict) else config
        traceback = traceback.tb_next
    return found


def _not_registered(name: str) -> str:
    near = get_close_matches(name, _registered())
    hint = f"did you mean {', '.join(near)}?" if near else "custom_imports names its module."
    return f"the config has the component {name!r}, which nothing registers: {hint}"


def _registered() -> list[str]:
    """Return the names of all registered components, as far as they have been imported."""
    registry = sys.modules["mmengine.registry"]  # it is there, for it has raised the error
    roots = [item for item in vars(registry).values() if isinstance(item, registry.Registry)]
    every = [*roots, *(child for root in roots for child in root.children.values())]
    return sorted({name for item in every for name in item.module_dict})
