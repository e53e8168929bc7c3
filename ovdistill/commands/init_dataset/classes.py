"""The classes of a user's own data: which are taken, in which order, and which are novel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovdistill.core.class_names import clean_name
from ovdistill.core.errors import UserError

if TYPE_CHECKING:
    from ovdistill.datasets.survey import Survey
    from ovdistill.vocabulary import Names

Source = str | Path  # of class names, see ``read_names``


@dataclass(frozen=True)
class Classes:
    """The classes of a vocabulary.

    Attributes:
        records: a category record of each class, as in an annotation file: ``id`` from 1 on in the
            order of the classes, ``name``, and what the files say of it (``frequency``,
            ``synonyms``, ``image_count``).
        novel: names of the novel classes.
        dropped: names of the categories that are left out.
        as_in_train: True if these are the categories of the training file, in the same order.
    """

    records: tuple[dict[str, Any], ...]
    novel: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    as_in_train: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The class names."""
        return tuple(record["name"] for record in self.records)

    @property
    def base(self) -> tuple[str, ...]:
        """Names of the base classes."""
        return tuple(name for name in self.names if name not in self.novel)

    @property
    def with_synonyms(self) -> bool:
        """True if the files say the synonyms of every class."""
        return all(record.get("synonyms") for record in self.records)


def choose_classes(
    train: Survey,
    val: Survey | None = None,
    *,
    names: Source | None = None,
    drop: Source | None = None,
    novel: Source | None = None,
) -> Classes:
    """Choose the classes: those of both files, without the dropped ones.

    A category that only the validation file has is novel, because there is nothing to train it on.
    So is one of which only that file has boxes, unless the user names the novel classes.

    Args:
        train: the training set.
        val: the set to evaluate on, or None.
        names: the classes to take, in this order: a file of names, or "a, b, c"; None takes all.
        drop: classes to leave out, in the same form.
        novel: novel classes, in the same form.

    Raises:
        UserError: a name that neither file has, a class that ``val`` lacks, or no base class with a
            box to train on.
    """
    known = _records(train.classes) | {
        name: record
        for name, record in (_records(val.classes) if val else {}).items()
        if name not in _cleaned(train.names)
    }
    where = f"{train.path}" + (f" and {val.path}" if val else "")
    wanted = _find(names, known, where) if names is not None else list(known)
    dropped = set(_find(drop, known, where)) if drop is not None else set()
    kept = [name for name in wanted if name not in dropped]
    told = _find(novel, {name: known[name] for name in kept}, where) if novel is not None else []
    untrained = _only_in(val, train, by_boxes=novel is None).difference(told)
    told += [name for name in kept if name in untrained]
    chosen = Classes(
        records=tuple(dict(known[name], id=n) for n, name in enumerate(kept, start=1)),
        novel=tuple(known[name]["name"] for name in told),
        dropped=tuple(known[name]["name"] for name in known if name not in kept),
        as_in_train=kept == [clean_name(name) for name in train.names],
    )
    _check(chosen, train, val)
    return chosen


def _records(classes: Names) -> dict[str, dict[str, Any]]:
    """Return a category record of each class by its cleaned name."""
    parts = dict(frequency=classes.frequency, synonyms=classes.synonyms, image_count=classes.counts)
    return {
        clean_name(name): dict(name=name) | {key: v[row] for key, v in parts.items() if v}
        for row, name in enumerate(classes.names)
    }


def _find(source: Source, known: Mapping[str, Mapping[str, Any]], where: str) -> list[str]:
    """Return the cleaned names that a user gave.

    Raises:
        UserError: one is no class, or see ``read_names``.
    """
    from ovdistill.datasets.names import read_names

    if isinstance(source, str) and clean_name(source) in known:
        return [clean_name(source)]  # which may have a comma or a slash in it
    found = [clean_name(name) for name in read_names(source).names]
    for name in found:
        if name not in known:
            near = get_close_matches(name, known, cutoff=0.5)
            hint = f"did you mean {', '.join(known[other]['name'] for other in near)}?"
            first = ", ".join(record["name"] for record in list(known.values())[:10])
            raise UserError(
                f"{name!r} is no category of {where} that is used; "
                f"{hint if near else f'there are {first} ...'} "
                "(A class without boxes need not be named: `ovdistill predict --text` finds it.)"
            )
    return found


def _only_in(val: Survey | None, train: Survey, *, by_boxes: bool) -> set[str]:
    """Return the cleaned names of the classes that can be evaluated, but not trained.

    Args:
        val: the set to evaluate on, or None.
        train: the training set.
        by_boxes: include categories of both files that have boxes in ``val`` alone.
    """
    if val is None:
        return set()
    found = _cleaned(val.names) - _cleaned(train.names)
    if by_boxes:
        trained = _cleaned(train.names) - _cleaned(train.without_boxes)
        found |= _cleaned(val.names) - _cleaned(val.without_boxes) - trained
    return found


def _cleaned(names: Iterable[str]) -> set[str]:
    return {clean_name(name) for name in names}


def _check(chosen: Classes, train: Survey, val: Survey | None) -> None:
    """Raise UserError unless the classes can be trained and evaluated."""
    if not {*chosen.base} - train.without_boxes:
        raise UserError(
            f"no base class has a box in {train.path} (novel: {', '.join(chosen.novel[:5]) or '-'}"
            f"{' ...' if len(chosen.novel) > 5 else ''}); expected at least one to train on"
        )
    in_val = _cleaned(val.names if val else chosen.names)
    lost = [name for name in chosen.names if clean_name(name) not in in_val]
    if val and lost:
        raise UserError(
            f"{len(lost)} categories of {train.path} are not in {val.path} (the first: "
            f'{lost[0]!r}); add them to it, or leave them out with --drop "{", ".join(lost[:5])}"'
            f"{' ...' if len(lost) > 5 else ''}"
        )
