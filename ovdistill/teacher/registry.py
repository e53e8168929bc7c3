"""Register teacher classes by name, and build the one that a config names.

A class of your own is registered with the decorator (docs/own_teacher.md)::

    @register_teacher
    class MyTeacher(Teacher): ...
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch

from ovdistill.core.class_table import add_class
from ovdistill.core.embedding_map import EmbeddingMap, mapped_id, read_embedding_map
from ovdistill.core.errors import UserError
from ovdistill.core.teacher_id import TeacherId
from ovdistill.teacher.adapted_teacher import AdaptedTeacher
from ovdistill.teacher.adapter import NamedAdapter, adapted_id
from ovdistill.teacher.adapter_file import read_adapter
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
    return add_class(TEACHERS, teacher_class, "a teacher")


def build_teacher(options: Mapping[str, Any], device: str | torch.device = "cpu") -> Teacher:
    """Build the teacher that a config describes.

    Args:
        options: the config's ``teacher``: ``type``, a registered class (default:
            'OpenCLIPTeacher'), the class's arguments, and two that every teacher takes:
            ``embedding_map``, a source of ``read_embedding_map``, or several, applied in order;
            and ``adapter``, a file of ``read_adapter``, or several, applied in order. An adapter
            follows the maps, but comes before a map that was made of the adapted teacher.
        device: where the teacher runs.

    Raises:
        UserError: no such type, or arguments that the class does not take; see the class for
            others.
    """
    teacher_class, arguments, changes = _parts(options)
    build: Callable[..., Teacher] = teacher_class  # subclasses have arguments of their own
    try:
        teacher = build(**arguments, device=device)
    except TypeError as error:
        raise UserError(f"teacher {teacher_class.__name__!r} with {arguments}: {error}") from error
    for change in changes:
        if isinstance(change, EmbeddingMap):
            teacher = MappedTeacher(teacher, change)
        else:
            teacher = AdaptedTeacher(teacher, change)
    return teacher


def teacher_name(options: Mapping[str, Any]) -> str | None:
    """Return the name of the teacher that ``build_teacher`` would build, without loading weights.

    Args:
        options: as for ``build_teacher``.

    Returns:
        The name; None if it is not known without the weights.

    Raises:
        UserError: no such type, embedding map or adapter.
    """
    teacher_class, arguments, changes = _parts(options)
    name = teacher_class.name_of(**arguments)
    if name is None:
        return None
    found = TeacherId(name)
    for change in changes:
        found = _changed_id(found, change)
    return found.name


def find_teacher_weights(options: Mapping[str, Any]) -> Path | None:
    """Return the weights of the teacher that ``build_teacher`` would build, fetched but not loaded.

    Args:
        options: as for ``build_teacher``.

    Returns:
        A file or a folder; None for a teacher that has none to look for.

    Raises:
        UserError: they are missing and cannot be downloaded, or no such type, embedding map or
            adapter.
    """
    teacher_class, arguments, _ = _parts(options)
    return teacher_class.find_weights(**arguments)


def _parts(
    options: Mapping[str, Any],
) -> tuple[type[Teacher], dict[str, Any], list[EmbeddingMap | NamedAdapter]]:
    """Return the class of a teacher, its arguments, and the maps and adapters behind it."""
    arguments = dict(options)
    maps = _sources(arguments.pop("embedding_map", None))
    adapters = _sources(arguments.pop("adapter", None))
    changes = _in_order(
        [read_embedding_map(source) for source in maps if source != NO_MAP],
        [read_adapter(source) for source in adapters],
    )
    kind = arguments.pop("type", DEFAULT)
    found = kind if isinstance(kind, type) else TEACHERS.get(kind)
    if found is None:
        raise UserError(
            f"no teacher type {kind!r}; expected one of: {', '.join(TEACHERS)}. A class of your "
            "own is registered with @register_teacher in a module that custom_imports of the "
            "config names (docs/own_teacher.md)."
        )
    return found, arguments, changes


def _sources(given: Any) -> Sequence[Any]:
    """Return the sources that an entry of a config names: none, one or several."""
    return [given] if isinstance(given, (str, Path)) else given or ()


def _in_order(
    maps: Sequence[EmbeddingMap], adapters: Sequence[NamedAdapter]
) -> list[EmbeddingMap | NamedAdapter]:
    """Return maps and adapters in the order in which they are applied.

    Each states the teacher that it was made of. So an adapter stands before the first map that was
    made of the adapted teacher or the first adapter that was learned with it, else behind all.
    """
    changes: list[EmbeddingMap | NamedAdapter] = [*maps]
    for adapter in reversed(adapters):
        own = adapted_id(adapter.teacher, adapter)
        following = [row for row, change in enumerate(changes) if change.teacher.is_same(own)]
        changes.insert(following[0] if following else len(changes), adapter)
    return changes


def _changed_id(teacher: TeacherId, change: EmbeddingMap | NamedAdapter) -> TeacherId:
    """Return the TeacherId of a teacher with a map or an adapter behind it."""
    if isinstance(change, EmbeddingMap):
        return mapped_id(teacher, change)
    return adapted_id(teacher, change)
