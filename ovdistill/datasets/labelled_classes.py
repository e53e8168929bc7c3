"""Which classes of a vocabulary a data set takes labels of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from ovdistill.core.class_names import clean_name
from ovdistill.core.errors import UserError
from ovdistill.vocabulary import Vocabulary

Group = Literal["base", "all", "none"]
Labelled = Group | Sequence[str]


def labelled_classes(vocabulary: Vocabulary, labelled: Labelled) -> tuple[bool, ...]:
    """Return, for each of the W class names, whether a data set takes its annotations.

    Args:
        vocabulary: the W names.
        labelled: 'base' classes, 'all', 'none', or a list of the names of base classes, which are
            compared after they are cleaned.

    Raises:
        UserError: another text, an empty list, or a listed name that is no base class. (A novel
            class takes no part in the losses, so nothing can be learned from its labels.)
    """
    is_base = vocabulary.is_base.tolist()
    if isinstance(labelled, str):
        if labelled not in get_args(Group):
            raise UserError(
                f"got labelled={labelled!r}; expected 'base', 'all' or 'none', or a list of names."
            )
        return tuple(labelled == "all" or (labelled == "base" and base) for base in is_base)
    wanted = {clean_name(name): name for name in labelled}
    names = [clean_name(name) for name in vocabulary.names]
    base_names = {name for name, base in zip(names, is_base, strict=True) if base}
    if not wanted or (others := sorted(wanted.keys() - base_names)):
        first = f"{wanted[others[0]]!r}, which is none" if wanted else "no name"
        raise UserError(
            f"labelled lists {first} of the {len(base_names)} base classes of the vocabulary; "
            "expected the names of classes that the annotation file has labels of. To make a novel "
            "class a base one, build the vocabulary with another split."
        )
    return tuple(name in wanted for name in names)
