"""Shares and cosines as people read them."""

from __future__ import annotations

MISSING = "-"


def percent(share: float | None) -> str:
    """Return a share in [0, 1] as "37.6 %"; "-" for None."""
    return MISSING if share is None else f"{100 * share:.1f} %"


def two_digits(value: float | None) -> str:
    """Return a number as "0.28"; "-" for None."""
    return MISSING if value is None else f"{value:.2f}"
