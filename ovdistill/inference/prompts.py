"""What a user asks for: class names, each with its phrases, and names that only compete.

Shapes: Q class names, P phrases of all of them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ovdistill.core.class_names import clean_name
from ovdistill.core.errors import UserError
from ovdistill.core.name_files import names_a_file
from ovdistill.core.name_words import singular, spelling

SHOWN = 2  # kinds of a name that a note lists
EXAMPLE = '"red striped star, outlined heart"'


@dataclass(frozen=True)
class Prompts:
    """Class names to look for.

    Attributes:
        names: Q different names, as they are reported.
        phrases: the phrases of each name: an object has the name if any of them fits.
        negatives: names that compete with them and are not reported.
        notes: what was changed, for people.
    """

    names: tuple[str, ...]
    phrases: tuple[tuple[str, ...], ...]
    negatives: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[str, ...]:
        """The P phrases of all names."""
        return tuple(phrase for phrases in self.phrases for phrase in phrases)

    @property
    def classes(self) -> tuple[int, ...]:
        """The index of the name of each of the P phrases."""
        return tuple(i for i, phrases in enumerate(self.phrases) for _ in phrases)

    def in_words_of(self, known: Sequence[str]) -> Prompts:
        """Return the same names with phrases as the class names of a training spell them.

        A plural that no class name has becomes the singular that some have: "dogs" is asked for as
        "dog", unless that is a phrase of another name. Names are reported as they were given.

        Args:
            known: the class names.
        """
        spelled = {word for name in known for word in name.lower().replace("_", " ").split()}
        owners = {clean_name(p): own for p, own in zip(self.rows, self.classes, strict=True)}

        def spell(phrase: str, owner: int) -> str:
            plurals = {w for w in phrase.split() if w.lower() not in spelled}
            new = " ".join(
                singular(w.lower()) if w in plurals and singular(w.lower()) in spelled else w
                for w in phrase.split()
            )
            return new if owners.setdefault(clean_name(new), owner) == owner else phrase

        asked = [[spell(phrase, owner) for phrase in own] for owner, own in enumerate(self.phrases)]
        changed = [
            f"{old!r} is asked for as {new!r}"
            for own, others in zip(self.phrases, asked, strict=True)
            for old, new in zip(own, others, strict=True)
            if old != new
        ]
        phrases = tuple(map(one_of_each_class, asked))
        return replace(self, phrases=phrases, notes=(*self.notes, *changed))

    def with_kinds(self, kinds: Mapping[str, Sequence[str]]) -> Prompts:
        """Return the same names with further phrases, those of their kinds.

        Args:
            kinds: class names of a training that are kinds of a name, by the name.
        """
        phrases = tuple(
            (*own, *one_of_each_class(kinds.get(name, ()), self.rows))
            for name, own in zip(self.names, self.phrases, strict=True)
        )
        shown = [f"{name} ({_shortened(own)})" for name, own in kinds.items()]
        note = [f"kinds of a name count as it: {_shortened(shown)}"] if shown else []
        return replace(self, phrases=phrases, notes=(*self.notes, *note))


def parse_prompts(text: str | Sequence[str] | Mapping[str, str | Sequence[str] | None]) -> Prompts:
    """Read what a user asks for.

    Args:
        text: names between commas, where quotes protect commas: 'red star, "cup, with handle"'; a
            file of names, see ``read_prompts``; a sequence of names, which are not split; or a
            mapping of names to phrases.

    Returns:
        The names in their order, without superfluous white space. Names that differ in case or
        plural only are one, which ``notes`` says.

    Raises:
        UserError: no name, a quote that is not closed, one phrase of two names, or a file that
            cannot be read.
    """
    if isinstance(text, Mapping):
        return _build({name: _listed(phrases) for name, phrases in text.items()})
    if not isinstance(text, str):
        return _build({name: [] for name in text})
    if names_a_file(text.strip()):
        from ovdistill.inference.prompt_files import read_prompts  # it imports torch

        names, negatives = read_prompts(text.strip())
        return _build(names, negatives)
    return _build({name: [] for name in split_names(text)})


def split_names(text: str) -> list[str]:
    """Split a text at the commas that no quotes protect.

    Raises:
        UserError: a quote that is not closed.
    """
    # the csv module takes no space between a quote and a comma
    line = re.sub(r'"\s+(,|$)', r'"\1', " ".join(text.splitlines()))
    try:
        (parts,) = csv.reader([line], skipinitialspace=True, strict=True) if line else ([],)
    except csv.Error:
        raise UserError(f"a quote in {text!r} is not closed; expected e.g. {EXAMPLE}") from None
    return parts


def _listed(phrases: str | Sequence[str] | None) -> list[str]:
    return [] if phrases is None else [phrases] if isinstance(phrases, str) else list(phrases)


def _build(named: Mapping[str, Sequence[str]], negatives: Sequence[str] = ()) -> Prompts:
    """Return prompts of names with their further phrases, tidied and without repeats."""
    first: dict[tuple[str, ...], str] = {}
    phrases: dict[str, list[str]] = {}
    notes: list[str] = []
    for given, others in named.items():
        name = tidy(given)
        if not name:
            continue
        known = first.setdefault(spelling(clean_name(name)), name)
        if known != name:
            notes.append(f"{name!r} is the same as {known!r}")
        phrases.setdefault(known, [known])
        phrases[known] += [tidy(phrase) for phrase in others if tidy(phrase)]
    if not phrases:
        raise UserError(f"no name to look for; expected names between commas, such as {EXAMPLE}")
    distinct = {name: one_of_each_class(own) for name, own in phrases.items()}
    owners: dict[str, str] = {}
    for name, own in distinct.items():
        for phrase in own:
            if (owner := owners.setdefault(clean_name(phrase), name)) != name:
                raise UserError(
                    f"{phrase!r} is a phrase of {owner!r} and of {name!r}; "
                    "expected each phrase once"
                )
    notes += _foreign([phrase for own in distinct.values() for phrase in own])
    kept = one_of_each_class((tidy(name) for name in negatives if tidy(name)), owners)
    return Prompts(tuple(distinct), tuple(distinct.values()), kept, tuple(notes))


def one_of_each_class(names: Iterable[str], others: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the first spelling of each class of some names, without those of other names.

    "Green_star" and "green star" name one class, see ``clean_name``.
    """
    taken = {clean_name(name) for name in others}
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(clean_name(name), name)
    return tuple(name for cleaned, name in first.items() if cleaned not in taken)


def tidy(name: str) -> str:
    """Return a name without superfluous white space."""
    return " ".join(str(name).split())


def _shortened(names: Sequence[str]) -> str:
    """Return the first two of several names, and how many more there are."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _foreign(phrases: Sequence[str]) -> list[str]:
    """Return a note on phrases in another script, which most teachers were not trained on."""
    foreign = [p for p in phrases if any(c.isalpha() and ord(c) > 0x24F for c in p)]
    if not foreign:
        return []
    return [f"{foreign[0]!r} is in no Latin script: a teacher knows the languages of its training"]
