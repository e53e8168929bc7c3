"""Register sources of training data by name, and build those that a config names.

A source of your own is registered with the decorator::

    @register_source
    class MyPairs(PairSource): ...
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from ovdistill.core.class_table import add_class, build_named
from ovdistill.core.errors import UserError
from ovdistill.teacher_training.data.augmentation import Augmentation
from ovdistill.teacher_training.data.pair_batches import PairBatches
from ovdistill.teacher_training.data.source import BatchSource, PairSource

Source = PairSource | BatchSource
SOURCES: dict[str, type[Source]] = {}
T = TypeVar("T", bound=type[Source])


def register_source(source: T) -> T:
    """Register a class under its name, so that a config can name it; use it as a decorator.

    Returns:
        The class, unchanged.

    Raises:
        ValueError: another module has registered a class of this name.
    """
    return add_class(SOURCES, source, "a source")


def build_source(options: Any) -> Source:
    """Build one source.

    Args:
        options: ``type``, the name of a registered class, and the class's arguments.

    Raises:
        UserError: no such type, or arguments that the class does not take; see the class for
            others.
    """
    import ovdistill.teacher_training.data.sources  # noqa: F401  # registers those of the package

    found: Source = build_named(SOURCES, options, "source of training data")
    return found


def build_data(
    options: Mapping[str, Any] | Sequence[Mapping[str, Any]], augmentation: Mapping[str, Any]
) -> BatchSource:
    """Build what a training's batches come from.

    Args:
        options: the config's ``data``: a source, or a list of sources of pairs, which are mixed.
        augmentation: arguments of ``Augmentation``, for pairs.

    Raises:
        UserError: no source, one of batches beside others or with augmentation, or see
            ``build_source``.
    """
    listed = options if isinstance(options, (list, tuple)) else [options]
    sources = [build_source(each) for each in listed]
    pairs = [source for source in sources if isinstance(source, PairSource)]
    if len(sources) == 1 and not pairs:
        (source,) = sources
        assert isinstance(source, BatchSource)
        if augmentation:
            raise UserError(
                f"augmentation is given, but {type(source).__name__} makes its batches itself; "
                "leave it out of the config"
            )
        return source
    if not pairs or len(pairs) < len(sources):
        raise UserError(
            f"data has {len(sources)} sources, {len(pairs)} of them of pairs; expected one source, "
            "or several of pairs, which can be mixed"
        )
    return PairBatches(pairs, _augmentation(augmentation))


def _augmentation(options: Any) -> Augmentation:
    if not isinstance(options, Mapping):
        raise UserError(f"augmentation is {options!r:.100}; expected dict(area=(0.9, 1.0), ...)")
    try:
        return Augmentation(**options)
    except (TypeError, ValueError) as error:
        raise UserError(f"augmentation with {dict(options)}: {error}") from error
