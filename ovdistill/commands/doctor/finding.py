"""What the doctor finds."""

from __future__ import annotations

from dataclasses import dataclass

OK, NOTE, PROBLEM = "ok", "note", "problem"


@dataclass(frozen=True)
class Check:
    """One finding.

    Attributes:
        name: what was checked.
        status: 'ok'; 'note' (something optional is missing); 'problem' (something is broken).
        detail: what was found.
        fix: the command that changes it; empty if there is nothing to do.
    """

    name: str
    status: str
    detail: str
    fix: str = ""
