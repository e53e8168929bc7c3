"""Which row of a vocabulary each value of a data set's label maps stands for."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.datasets.names.label_table import LabelTable
from ovdistill.segmentation.data.label_map import UNLABELLED, lookup_of

LOGGER = logging.getLogger(__name__)


def vocabulary_lookup(
    table: LabelTable, names: Sequence[str], is_labelled: Sequence[bool]
) -> np.ndarray:
    """Return the row of each value, see ``lookup_of``; say what does not fit the vocabulary.

    Args:
        table: what the values mean.
        names: W class names.
        is_labelled: (W,) the pixels of the other classes are ``UNLABELLED``.

    Raises:
        UserError: no class name has a value.
    """
    rows = table.rows(names)
    if not rows:
        raise UserError(
            f"no class of the vocabulary ({', '.join(names[:5])}, ...) is in the label table "
            f"{table.source}: expected a vocabulary of its names, such as `ovdistill vocab build "
            "--names voc` makes, or another label table."
        )
    classes = [value for value, own in table.names.items() if own]
    if lost := [table.names[value][0] for value in classes if value not in rows]:
        LOGGER.info(
            "%d of the %d classes of the label table %s are not in the vocabulary (%s): their "
            "pixels are ignored",
            *(len(lost), len(classes), table.source, ", ".join(lost[:3])),
        )
    if bare := len(names) - len({*rows.values()}):
        LOGGER.info("%d of the vocabulary's %d classes have no labels", bare, len(names))
    used = {v: row if is_labelled[row] else UNLABELLED for v, row in rows.items()}
    return lookup_of(used, table.names)
