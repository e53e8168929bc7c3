"""Register training objectives by name, and build those that a config names.

An objective of your own is registered with the decorator::

    @register_objective
    class MyObjective(EmbeddingObjective): ...
"""

from __future__ import annotations

from typing import Any, TypeVar

from ovdistill.core.class_table import add_class, build_named
from ovdistill.teacher_training.objective import Objective

OBJECTIVES: dict[str, type[Objective]] = {}
T = TypeVar("T", bound=type[Objective])


def register_objective(objective: T) -> T:
    """Register a class under its name, so that a config can name it; use it as a decorator.

    Returns:
        The class, unchanged.

    Raises:
        ValueError: another module has registered a class of this name.
    """
    return add_class(OBJECTIVES, objective, "an objective")


def build_objective(options: Any) -> Objective:
    """Build the objective that a config describes.

    Args:
        options: ``type``, the name of a registered class, and the class's arguments, such as
            ``weight``.

    Raises:
        UserError: no such type, or arguments that the class does not take.
    """
    import ovdistill.teacher_training.objectives  # noqa: F401  # registers those of the package

    hint = (
        "A class of your own is registered with @register_objective in a module that "
        "custom_imports of the config names (docs/teacher_training.md)."
    )
    found: Objective = build_named(OBJECTIVES, options, "training objective", hint)
    return found
