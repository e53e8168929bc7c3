"""TeacherId: which teacher made embeddings, and the rule when two teachers are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple


class TeacherId(NamedTuple):
    """Name of a teacher and hash of its weights.

    Vocabularies, stores and checkpoints carry it, so that embeddings of two teachers are not mixed.

    Attributes:
        name: name of the teacher, e.g. "ViT-B-32-quickgelu:openai".
        weights_hash: first 16 hex digits of the SHA-256 of its weights; "" = unknown.
    """

    name: str
    weights_hash: str = ""

    def __str__(self) -> str:
        return f"{self.name} (weights {self.weights_hash or 'of unknown hash'})"

    @classmethod
    def from_header(cls, header: Mapping[str, Any]) -> TeacherId:
        """Return the TeacherId that a file's header states under 'teacher' and 'teacher_hash'."""
        return cls(header.get("teacher", ""), header.get("teacher_hash", ""))

    def to_header(self) -> dict[str, str]:
        """Return the entries 'teacher' and 'teacher_hash' of a file's header."""
        return {"teacher": self.name, "teacher_hash": self.weights_hash}

    def followed_by(self, name: str, digest: str) -> TeacherId:
        """Return the TeacherId of this teacher with a change behind it, such as a map.

        An unknown hash stays unknown.

        Args:
            name: of the change; is added to the teacher's name.
            digest: hash of all that determines the change, in hex digits.
        """
        changed = f"{self.name}+{name}"
        if not self.weights_hash:
            return TeacherId(changed)
        both = hashlib.sha256((self.weights_hash + digest).encode())
        return TeacherId(changed, both.hexdigest()[:16])

    def is_same(self, other: TeacherId) -> bool:
        """Return True for the same hash if both are known, else for the same name.

        The hash decides because the same weights may go by several names.
        """
        if self.weights_hash and other.weights_hash:
            return self.weights_hash == other.weights_hash
        return self.name == other.name
