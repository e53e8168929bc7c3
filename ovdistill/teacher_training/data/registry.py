"""Register sources of training data by name, and build those that a config names.

A source of your own is registered with the decorator::

    @register_source
    class MyPairs(PairSource): ...
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from ovdistill.core.class_table import add_class
from ovdistill.core.errors import UserError
from ovdistill.core.text import did_you_mean
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


def build_source(options: Mapping[str, Any]) -> Source:
    """Build one source.

    Args:
        options: ``type``, the name of a registered class, and the class's arguments.

    Raises:
        UserError: no such type, or arguments that the class does not take; see the class for
            others.
    """
    import ovdistill.teacher_training.data.sources  # noqa: F401  # registers those of the package

    arguments = dict(options)
    name = arguments.pop("type", None)
    if name not in SOURCES:
        known = f"expected one of: {', '.join(sorted(SOURCES))}."
        raise UserError(
            f"no source of training data {name!r}; {did_you_mean(str(name), SOURCES, known)}"
        )
    try:
        return SOURCES[name](**arguments)
    except TypeError as error:
        raise UserError(f"source {name} with {arguments}: {error}") from error


def build_data(
    options: Mapping[str, Any] | Sequence[Mapping[str, Any]], augmentation: Mapping[str, Any]
) -> BatchSource:
    """Build what a training's batches come from.

    Args:
        options: the config's ``data``: a source, or a list of sources of pairs, which are mixed.
        augmentation: arguments of ``Augmentation``, for pairs.

    Raises:
        UserError: no source, one of batches beside others, or see ``build_source``.
    """
    listed = [options] if isinstance(options, Mapping) else list(options)
    sources = [build_source(each) for each in listed]
    pairs = [source for source in sources if isinstance(source, PairSource)]
    if len(sources) == 1 and not pairs:
        (source,) = sources
        assert isinstance(source, BatchSource)
        return source
    if not pairs or len(pairs) < len(sources):
        raise UserError(
            f"data has {len(sources)} sources, {len(pairs)} of them of pairs; expected one source, "
            "or several of pairs, which can be mixed"
        )
    try:
        return PairBatches(pairs, Augmentation(**augmentation))
    except TypeError as error:
        raise UserError(f"augmentation with {dict(augmentation)}: {error}") from error
