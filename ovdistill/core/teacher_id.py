"""Which teacher made embeddings, and when two teachers count as the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class TeacherId(NamedTuple):
    """The identity of a teacher, as the files that it made store it.

    Attributes:
        name: names the teacher, e.g. "ViT-B-32:openai".
        weights_hash: first 16 hex digits of the SHA-256 of its weights; "" = unknown.
    """

    name: str
    weights_hash: str = ""

    def __str__(self) -> str:
        return f"{self.name} (weights {self.weights_hash or 'of unknown hash'})"

    @classmethod
    def from_header(cls, header: Mapping[str, Any]) -> TeacherId:
        """Read the identity from a file's header, which has 'teacher' and 'teacher_hash'."""
        return cls(header.get("teacher", ""), header.get("teacher_hash", ""))

    def to_header(self) -> dict[str, str]:
        """Return the two entries that a file's header stores."""
        return {"teacher": self.name, "teacher_hash": self.weights_hash}

    def is_same(self, other: TeacherId) -> bool:
        """Compare the hashes where both are known, since file names change; else the names."""
        if self.weights_hash and other.weights_hash:
            return self.weights_hash == other.weights_hash
        return self.name == other.name
