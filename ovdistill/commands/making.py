"""Find out from a traceback which component of a config was being made when an error was raised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any

# mmengine's functions that make a component of its config
BUILDERS = ("build_from_cfg", "build_scheduler_from_cfg")


@dataclass(frozen=True)
class Making:
    """The making of a component, in which an error was raised.

    Attributes:
        given: the component's config, as the builder got it.
        component: the class or function that it names; None if there is none.
        below: what the builder called, the innermost last: frames and line numbers.
        config: the whole config; None if no function around has it.
    """

    given: Any
    component: Callable[..., Any] | None
    below: tuple[tuple[FrameType, int], ...]
    config: Any

    @property
    def name(self) -> str:
        """The component's ``type`` as the config has it."""
        kind = self.given.get("type", "?") if isinstance(self.given, Mapping) else self.given
        return getattr(kind, "__name__", str(kind))

    def place(self, key: str | None = None) -> str:
        """Return the config's file and the dotted key of the component, as far as known.

        Args:
            key: a key of the component, if the place is of the one that has it.
        """
        from ovdistill.models.components import find_component

        if self.config is None:
            return f"the component {self.name!r} of the config"
        found = None
        if isinstance(self.given, Mapping):
            found = find_component(dict(self.config.items()), self.given, key)
        return f"{self.config.filename}, {found or f'the component {self.name!r}'}"

    @property
    def is_own(self) -> bool:
        """Whether an error came from code of the user's own."""
        from ovdistill.models.components import is_shipped

        return bool(self.below) and self.component is not None and not is_shipped(self.component)

    @property
    def line(self) -> str:
        """File and line of the component's own module in which the error was raised."""
        module = getattr(self.component, "__module__", None)
        own = [step for step in self.below if step[0].f_globals.get("__name__") == module]
        frame, line = (own or self.below)[-1]
        return f"{frame.f_code.co_filename}, line {line}"


def find_making(traceback: TracebackType | None) -> Making | None:
    """Return the innermost making of a component in a traceback; None if there was none."""
    steps = []
    while traceback is not None:
        steps.append((traceback.tb_frame, traceback.tb_lineno))
        traceback = traceback.tb_next
    builders = [i for i, (frame, _) in enumerate(steps) if frame.f_code.co_name in BUILDERS]
    if not builders:
        return None
    index = builders[-1]
    known = steps[index][0].f_locals
    component = known.get("obj_cls", known.get("scheduler_cls"))
    config = find_config([frame for frame, _ in steps[:index]])
    return Making(known.get("cfg"), component, tuple(steps[index + 1 :]), config)


def find_config(frames: list[FrameType]) -> Any:
    """Return the config of a file that the innermost of some frames has; None if none has one."""
    from mmengine.config import Config

    for frame in reversed(frames):
        for value in frame.f_locals.values():
            if isinstance(value, Config) and value.filename:
                return value
    return None
