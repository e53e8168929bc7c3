"""Errors that values of a config cause in mmengine, as errors of the user.

mmengine raises KeyError, TypeError or AssertionError for a component that is not registered and for
arguments that it does not take, like for a defect. What is raised while a component of the config
is made counts as an error of the config here; ``--log-level debug`` shows where it was raised. Of a
component of the user's own it may be the code that is wrong: its traceback is shown.
"""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any

from ovdistill.commands.making import Making, find_config, find_making
from ovdistill.core.errors import UserError
from ovdistill.core.text import did_you_mean

NOT_REGISTERED = re.compile(r"(\S+) is not in the \S+ registry|Failed to get (\S+)")
UNEXPECTED = re.compile(r"(?:(\S+)\(\) )?got an unexpected keyword argument '(\w+)'")
MISSING = re.compile(r"(\S+)\(\) missing \d+ required [\w -]+ arguments?: (.+)")
NO_KEY = re.compile(r"'(?:ConfigDict|Config)' object has no attribute '(\w+)'")
LOST_PEER = re.compile(r"closed by peer|reset by peer|gloo.*timed? ?out", re.IGNORECASE)


class PeerLost(UserError):
    """Another process that runs the same command has ended early."""

    exit_code = 1


class ComponentDefect(Exception):
    """The code of a component of the user's own has failed; that error is this one's cause."""


def clearer_error(error: Exception) -> UserError | ComponentDefect | None:
    """Return the error to report in place of one that a config or a lost process caused, or None.

    Args:
        error: what a command raised.
    """
    if isinstance(error, (UserError, OSError, MemoryError)):
        return None
    if isinstance(error, RuntimeError) and LOST_PEER.search(str(error)):
        return PeerLost("another process of this command has ended; see its message")
    if isinstance(error, AttributeError) and (match := NO_KEY.search(str(error))):
        return UserError(_no_key(match[1], error.__traceback__))
    making = find_making(error.__traceback__)
    if making is None:
        return None
    if slip := _slip(error, making):
        return UserError(slip)
    lines = str(error).splitlines()
    reason = f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
    # an assertion is a check that the component means to make
    if making.is_own and not isinstance(error, AssertionError):
        return ComponentDefect(
            f"{making.place()}: the code of {making.name} failed in {making.line}: {reason}"
        )
    return UserError(f"{making.place()}: {making.name} cannot be made: {reason}")


def _slip(error: Exception, making: Making) -> str | None:
    """Describe a type that nothing registers, or keys that the component does not take."""
    from ovdistill.models import component_slips as slips

    text = str(error)
    if match := NOT_REGISTERED.search(text):
        return slips.unknown_type(making.place(), (match[1] or match[2]).strip("'\""))
    if not isinstance(error, TypeError) or making.component is None:
        return None
    match = UNEXPECTED.search(text)
    if match and match[2] in making.given and _is_call_of(making.component, match[1]):
        key = match[2]
        return slips.unknown_key(making.place(key), making.component, key, making.given)
    match = MISSING.search(text)
    if match and _is_call_of(making.component, match[1]):
        return slips.missing_keys(making.place(), making.component, match[2], making.given)
    return None


def _is_call_of(component: Any, called: str | None) -> bool:
    """Return whether Python's name of a function is of a component, or of a class that it is of."""
    makers = getattr(component, "__mro__", (component,))
    names = {name for maker in makers for name in _python_names(maker)}
    return called is None or called in names


def _python_names(maker: Any) -> tuple[str, str]:
    """Return how errors call a function, or the ``__init__`` of a class."""
    name = getattr(maker, "__qualname__", "")
    return name, f"{name}.__init__"


def _no_key(key: str, traceback: TracebackType | None) -> str:
    frames = []
    while traceback is not None:
        frames.append(traceback.tb_frame)
        traceback = traceback.tb_next
    config = find_config(frames)
    if config is None:
        return f"the config has no {key!r}, which this command needs"
    hint = did_you_mean(key, config)
    return f"{config.filename} has no {key!r}, which this command needs" + (
        f"; {hint}" if hint else ""
    )
