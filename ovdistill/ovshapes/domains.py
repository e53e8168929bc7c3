"""The domains of OVShapes: ways to draw the same objects at the same places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.ovshapes import crayon, drawing
from ovdistill.ovshapes.drawing import Stamp

PAINTED, CRAYON = "painted", "crayon"


@dataclass(frozen=True)
class Domain:
    """A way to draw.

    Attributes:
        background: draws the background of an image, see ``drawing.draw_background``.
        paint: draws an object onto a canvas, see ``drawing.paint``.
    """

    background: Callable[[str, int, np.random.Generator], np.ndarray]
    paint: Callable[[np.ndarray, np.ndarray, Stamp, str, str, np.random.Generator], None]


DOMAINS = {
    PAINTED: Domain(drawing.draw_background, drawing.paint),
    CRAYON: Domain(crayon.draw_paper, crayon.draw_object),
}


def check_domain(name: str) -> str:
    """Return the name of a domain; raise UserError if there is no such domain."""
    if name not in DOMAINS:
        raise UserError(f"--domain is {name!r}; expected one of: {', '.join(DOMAINS)}")
    return name
