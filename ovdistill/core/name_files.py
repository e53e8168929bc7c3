"""Tell texts that name a file of class names from class names, without importing torch."""

from __future__ import annotations

from pathlib import Path

# suffixes of files that hold names, or that people try for it: such a text is the name of a file,
# even if the file is not there
SUFFIXES = frozenset(
    ".json .jsonl .ndjson .yaml .yml .csv .tsv .txt .names .labels .list .npy .pbtxt .xml .xlsx "
    ".safetensors".split()
)


def names_a_file(text: str) -> bool:
    """Return True if a text ends like a file of names, whether or not the file is there."""
    return not {",", "\n"} & {*text} and Path(text).suffix.lower() in SUFFIXES
