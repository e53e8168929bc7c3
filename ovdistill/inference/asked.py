"""What a detector is asked for: the rows of its vocabulary, and the classes that they stand for.

Shapes: Q classes that are wanted, G classes with those that only compete, W rows: their phrases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ovdistill.inference.competitors import competitors, far_names, kinds
from ovdistill.inference.prompts import Prompts, one_of_each_class, parse_prompts
from ovdistill.vocabulary import Vocabulary

AUTO: Literal["auto"] = "auto"
Text = str | Sequence[str] | Mapping[str, str | Sequence[str] | None] | Vocabulary
Background = str | Sequence[str] | None
Wanted = Prompts | Vocabulary  # a text that was read
Competing = Prompts | Literal["auto"] | None


@dataclass(frozen=True)
class Asked:
    """What a detector looks for.

    Attributes:
        vocabulary: W rows, those of the wanted classes first.
        names: of the G classes, the Q wanted ones first.
        wanted: Q.
        classes: the class of each of the W rows, by rising numbers.
        notes: what was changed in what a user asked for.
    """

    vocabulary: Vocabulary
    names: tuple[str, ...]
    wanted: int
    classes: tuple[int, ...]
    notes: tuple[str, ...] = ()

    @property
    def queries(self) -> tuple[str, ...]:
        """The names of the Q wanted classes."""
        return self.names[: self.wanted]

    @property
    def has_phrases(self) -> bool:
        """Whether some class has several rows."""
        return len(self.names) < len(self.classes)


def read_texts(text: Text, background: Background) -> tuple[Wanted, Competing]:
    """Return what is looked for and what competes, read now: a list or a file may change later.

    Args:
        text: see ``parse_prompts``; or a vocabulary, whose names are all that there is.
        background: texts that compete; 'auto': the class names of the training that do not mean the
            same, see ``competitors``; None: none.

    Raises:
        UserError: see ``parse_prompts``.
    """
    wanted = text if isinstance(text, Vocabulary) else parse_prompts(text)
    if not background or background == AUTO:
        return wanted, AUTO if background else None
    return wanted, parse_prompts(background)


def ask(
    wanted: Wanted,
    background: Competing,
    encode: Callable[[Sequence[str]], Vocabulary],
    known: Vocabulary | None,
) -> Asked:
    """Return what a detector has to look for, and what competes with it.

    Args:
        wanted: see ``read_texts``.
        background: see ``read_texts``.
        encode: embeds texts.
        known: the class names of the training, or None if they are not known.
    """
    if isinstance(wanted, Vocabulary):
        given = prompts = Prompts(wanted.names, tuple((name,) for name in wanted.names))
        rows, known = wanted, None  # nothing else is looked for, and nothing is far from it
    else:
        given = wanted
        prompts = wanted.in_words_of(known.names if known else ())
        rows = encode(prompts.rows)
        if background == AUTO and known is not None:
            prompts = prompts.with_kinds(kinds(prompts, rows, known))
            rows = encode(prompts.rows)
    competing = background.rows if isinstance(background, Prompts) else ()
    others = one_of_each_class([*prompts.negatives, *competing], [*given.rows, *prompts.rows])
    whole = rows.followed_by(encode(others)) if others else rows
    if background == AUTO and known is not None:
        rivals = competitors(rows, known)
        if rivals is not None and rows.token_embeddings is not None:
            rivals = encode(rivals.names)
        whole = whole if rivals is None else whole.followed_by(rivals)
    names = (*prompts.names, *whole.names[len(rows) :])
    classes = (*prompts.classes, *range(len(prompts.names), len(names)))
    notes = list(prompts.notes)
    for name, nearest in far_names(rows, known) if known is not None else ():
        notes.append(f"{name!r} is far from every class name of the training; nearest: {nearest!r}")
    return Asked(whole, names, len(prompts.names), classes, tuple(notes))
