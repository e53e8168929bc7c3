"""Register teacher classes by name, and build the one that a config names.

A class of your own is registered with the decorator (docs/own_teacher.md)::

    @register_teacher
    class MyTeacher(Teacher): ...
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import torch

from ovdistill.core.embedding_map import EmbeddingMap, mapped_id, read_embedding_map
from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.teacher.mapped_teacher import MappedTeacher
from ovdistill.teacher.teacher import Teacher

TEACHERS: dict[str, type[Teacher]] = {}
DEFAULT = "OpenCLIPTeacher"
NO_MAP = "ovshapes-plain"  # the benchmark's teacher as it was trained, for geometry=plain
T = TypeVar("T", bound=type[Teacher])


def register_teacher(teacher_class: T) -> T:
    """Register a class under its name, so that a config can name it; use it as a decorator.

    Returns:
        The class, unchanged.

    Raises:
        ValueError: another module has registered a class of this name.
    """
    name = teacher_class.__name__
    known = TEACHERS.get(name)
    if known is not None and known.__module__ != teacher_class.__module__:
        raise ValueError(f"a teacher {name!r} is registered by {known.__module__} already")
    TEACHERS[name] = teacher_class
    return teacher_class


def build_teacher(options: Mapping[str, Any], device: str | torch.device = "cpu") -> Teacher:
    """Build the teacher that a config describes.

    Args:
        options: the config's ``teacher``: ``type``, a registered class (default:
            'OpenCLIPTeacher'), the class's arguments, and ``embedding_map``, which every teacher
            can have behind it: a source of ``read_embedding_map``, or several, applied in order.
        device: where the teacher runs.

    Raises:
        UserError: no such type, or arguments that the class does not take; see the class for
            others.
    """
    teacher_class, arguments, maps = _parts(options)
    build: Callable[..., Teacher] = teacher_class  # subclasses have arguments of their own
    try:
        teacher = build(**arguments, device=device)
    except TypeError as error:
        raise UserError(f"teacher {teacher_class.__name__!r} with {arguments}: {error}") from error
    for embedding_map in maps:
        teacher = MappedTeacher(teacher, embedding_map)
    return teacher


def teacher_name(options: Mapping[str, Any]) -> str | None:
    """Return the name of the teacher that ``build_teacher`` would build, without loading weights.

    Args:
        options: as for ``build_teacher``.

    Returns:
        The name; None if it is not known without the weights.

    Raises:
        UserError: no such type, or no such embedding map.
    """
    teacher_class, arguments, maps = _parts(options)
    name = teacher_class.name_of(**arguments)
    if name is None:
        return None
    return reduce(mapped_id, maps, TeacherId(name)).name


def find_teacher_weights(options: Mapping[str, Any]) -> Path | None:
    """Return the weights of the teacher that ``build_teacher`` would build, fetched but not loaded.

    Args:
        options: as for ``build_teacher``.

    Returns:
        A file or a folder; None for a teacher that has none to look for.

    Raises:
        UserError: they are missing and cannot be downloaded, or no such type or embedding map.
    """
    teacher_class, arguments, _ = _parts(options)
    return teacher_class.find_weights(**arguments)


def _parts(
    options: Mapping[str, Any],
) -> tuple[type[Teacher], dict[str, Any], list[EmbeddingMap]]:
    """Return the class of a teacher, its arguments, and the maps behind it."""
    arguments = dict(options)
    given = arguments.pop("embedding_map", None) or ()
    sources = [given] if isinstance(given, str) else given
    maps = [read_embedding_map(source) for source in sources if source != NO_MAP]
    kind = arguments.pop("type", DEFAULT)
    found = kind if isinstance(kind, type) else TEACHERS.get(kind)
    if found is None:
        raise UserError(
            f"no teacher type {kind!r}; expected one of: {', '.join(TEACHERS)}. A class of your "
            "own is registered with @register_teacher in a module that custom_imports of the "
            "config names (docs/own_teacher.md)."
        )
    return found, arguments, maps
