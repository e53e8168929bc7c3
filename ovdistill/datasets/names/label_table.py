"""What the values of a data set's label maps mean: each value, and the names of its class.

A table is a text file with one class a line: the value, a tab, and the names of the class with
commas between. The first is the class name, and a vocabulary may call the class by the others too.
"-" in place of names is a value without a class, such as ADE20K's 0. A file without tabs has one
class name a line, and its values count from 0.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ovdistill.core.assets import LABEL_TABLES
from ovdistill.core.class_names import clean_name
from ovdistill.core.errors import UserError
from ovdistill.vocabulary import Names
from ovdistill.vocabulary.names import check_names

SHIPPED = ("voc", "coco-stuff", "coco-panoptic", "ade20k", "ovshapes")
NO_CLASS = "-"
BACKGROUND = "background"  # as the value 0 (VOC): a class only where a vocabulary has the name
MOST_VALUE = (1 << 24) - 1  # of an id in an RGB image


@dataclass(frozen=True)
class LabelTable:
    """The values of label maps and the names of their classes.

    Attributes:
        source: where it comes from, for messages.
        names: the names of each value's class, the class name first; () = no class.
    """

    source: str
    names: Mapping[int, tuple[str, ...]]

    def class_names(self, *, synonyms: bool = False) -> Names:
        """Return the class names in the order of their values, without a background of value 0.

        Args:
            synonyms: the further names are synonyms that may be averaged, not only spellings.
        """
        groups = [g for value, g in self.names.items() if g and (value or g[0] != BACKGROUND)]
        return Names(
            tuple(names[0] for names in groups), synonyms=tuple(groups) if synonyms else None
        )

    def rows(self, vocabulary: Sequence[str]) -> dict[int, int]:
        """Return the row of a vocabulary for each value whose class is in it.

        A class name goes before further names, and a further name that several classes have, as
        ADE20K's "screen", stands for none of them. Names are compared after they are cleaned.

        Args:
            vocabulary: W class names.
        """
        row_of = {clean_name(name): row for row, name in enumerate(vocabulary)}
        groups = {value: [*map(clean_name, names)] for value, names in self.names.items() if names}
        first = {names[0] for names in groups.values()}
        uses = Counter(name for names in groups.values() for name in {*names[1:]} - {names[0]})
        found = {}
        for value, names in groups.items():
            own = [n for n in names[1:] if n not in first and uses[n] == 1]
            row = next((row_of[name] for name in (names[0], *own) if name in row_of), None)
            if row is not None:
                found[value] = row
        return found


def load_label_table(source: str | os.PathLike[str]) -> LabelTable:
    """Load a table that ships with the package, or one from a file.

    Args:
        source: one of ``SHIPPED``, or a text file (see above).

    Raises:
        UserError: no such table or file, or a line that cannot be read.
    """
    if isinstance(source, str) and source in SHIPPED:
        return _read(LABEL_TABLES / f"{source}.tsv", source)
    path = Path(source)
    if not path.is_file():
        raise UserError(
            f"no label table {str(source)[:200]!r}; expected one of {', '.join(SHIPPED)}, or a "
            "text file with a value, a tab and a class name in each line"
        )
    return _read(path, str(path))


def _read(path: Path, source: str) -> LabelTable:
    try:
        text = path.read_text("utf-8-sig")  # some editors write a mark first
        lines = [line for line in text.splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read the label table {source}: {error}") from None
    if not any("\t" in line for line in lines):
        lines = [f"{value}\t{line.replace(',', ' ')}" for value, line in enumerate(lines)]
    names: dict[int, tuple[str, ...]] = {}
    for number, line in enumerate(lines, 1):
        value, group = _read_line(line, f"line {number} of the label table {source}")
        if value in names:
            raise UserError(f"label table {source} has the value {value} twice; expected it once")
        names[value] = group
    _check(names.values(), source)
    return LabelTable(source, dict(sorted(names.items())))


def _read_line(line: str, place: str) -> tuple[int, tuple[str, ...]]:
    value, _, group = line.partition("\t")
    value = value.strip()
    names = tuple(name for name in map(str.strip, group.split(",")) if name)
    if not (value.isdecimal() and len(value) < 10 and int(value) <= MOST_VALUE and names):
        raise UserError(
            f"{place} is {line[:80]!r}; expected a value from 0 to {MOST_VALUE}, a tab and the "
            f"names of its class, or {NO_CLASS!r} for none"
        )
    return int(value), () if names == (NO_CLASS,) else names


def _check(groups: Iterable[tuple[str, ...]], source: str) -> None:
    check_names((names[0] for names in groups if names), f"the label table {source}")
