"""The teacher classes that a config can name, and building one of them.

A class of your own joins them with the decorator (docs/own_teacher.md)::

    @register_teacher
    class MyTeacher(Teacher): ...
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import torch

from ovdistill.core.errors import UserError
from ovdistill.teacher.teacher import Teacher

TEACHERS: dict[str, type[Teacher]] = {}
DEFAULT = "OpenCLIPTeacher"
T = TypeVar("T", bound=type[Teacher])


def register_teacher(teacher_class: T) -> T:
    """Add a class to those that a config can name; for use as a decorator.

    Raises:
        ValueError: another class of this name is registered.
    """
    name = teacher_class.__name__
    known = TEACHERS.get(name)
    if known is not None and known.__module__ != teacher_class.__module__:
        raise ValueError(f"a teacher {name!r} is registered by {known.__module__} already")
    TEACHERS[name] = teacher_class
    return teacher_class


def build_teacher(options: Mapping[str, Any], device: str | torch.device = "cpu") -> Teacher:
    """Build the teacher that a config's ``teacher`` names.

    Args:
        options: ``type``, a registered class ('OpenCLIPTeacher' unless given), and its arguments.
        device: where it runs.

    Raises:
        UserError: no such type, arguments that it does not take, or see the class.
    """
    teacher_class, arguments = _class_and_arguments(options)
    try:
        return teacher_class(**arguments, device=device)  # type: ignore[call-arg]
    except TypeError as error:
        raise UserError(f"teacher {teacher_class.__name__!r} with {arguments}: {error}") from error


def teacher_name(options: Mapping[str, Any]) -> str | None:
    """Return the name that ``build_teacher``'s teacher would have; None = not known without it.

    Raises:
        UserError: no such type.
    """
    teacher_class, arguments = _class_and_arguments(options)
    return teacher_class.name_of(**arguments)


def _class_and_arguments(options: Mapping[str, Any]) -> tuple[type[Teacher], dict[str, Any]]:
    arguments = dict(options)
    kind = arguments.pop("type", DEFAULT)
    found = kind if isinstance(kind, type) else TEACHERS.get(kind)
    if found is None:
        raise UserError(
            f"no teacher type {kind!r}; expected one of: {', '.join(TEACHERS)}. A class of your "
            "own is registered with @register_teacher in a module that custom_imports of the "
            "config names (docs/own_teacher.md)."
        )
    return found, arguments
