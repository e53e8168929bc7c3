"""One spelling for each class name, whatever file it comes from."""

from __future__ import annotations

# LVIS v1's own annotation files misspell this one.
_CORRECTED = {"speaker (stero equipment)": "speaker (stereo equipment)"}


def clean_name(name: str) -> str:
    """Return a class name as plain words: "Speaker_(stereo)" -> "speaker (stereo)".

    "_" becomes a space, "/" becomes " or ", lower case, no trailing "." (ViLD's rule). Names that
    are equal after cleaning name the same class.
    """
    words = name.replace("_", " ").replace("/", " or ").lower().split()
    cleaned = " ".join(words).rstrip(".").rstrip()
    return _CORRECTED.get(cleaned, cleaned)
