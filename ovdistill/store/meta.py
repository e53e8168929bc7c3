"""``meta.json`` of a store: what was embedded, by whom, from which boxes, in how many shards."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ovdistill.errors import UserError
from ovdistill.evaluation.report import write_json

FORMAT = "ovdistill-store-2"
NAME = "meta.json"
FIX = "make it with: ovdistill extract (tools/train.py does so where it can)"


@dataclass(frozen=True)
class StoreMeta:
    """The plan of a store, fixed before its first shard, and its counts once it is complete.

    Attributes:
        provenance: plain JSON values: teacher, teacher_hash, dim, crops, proposals, ...
        pictures: how many, the skipped ones among them.
        shards: how many files they are in.
        counts: pictures, regions and skipped of the complete store; empty until then.
    """

    provenance: dict[str, Any]
    pictures: int
    shards: int
    counts: dict[str, int] = field(default_factory=dict)
    format: str = FORMAT

    @property
    def dim(self) -> int:
        """Width of the embeddings."""
        return self.provenance["dim"]

    @property
    def fingerprint(self) -> str:
        """16 hex digits that every shard carries: of all but the counts."""
        plan = {key: value for key, value in asdict(self).items() if key != "counts"}
        return hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()[:16]

    def check_same(self, there: StoreMeta, folder: Path) -> None:
        """Raises UserError where the store that is there was planned otherwise."""
        if self.fingerprint == there.fingerprint:
            return
        mine, theirs = self._plan(), there._plan()
        different = [
            f"{key}: {theirs.get(key)} there, {mine.get(key)} now"
            for key in sorted(mine.keys() | theirs.keys())
            if mine.get(key) != theirs.get(key)
        ]
        raise UserError(
            f"store {folder} was begun differently: {'; '.join(different)}. Name another folder "
            "with -o, or delete this one to make it anew."
        )

    def _plan(self) -> dict[str, Any]:
        return {**self.provenance, "pictures": self.pictures, "shards": self.shards}


def write_meta(folder: Path, meta: StoreMeta) -> None:
    """Writes ``meta.json`` at once."""
    write_json(folder / NAME, asdict(meta))


def read_meta(folder: Path) -> StoreMeta:
    """Reads ``meta.json``.

    Raises:
        UserError: there is none, it is damaged, or of another format.
    """
    path = folder / NAME
    if folder.is_file():
        raise UserError(f"{folder} is a file; expected a store, a folder of {FORMAT}; {FIX}")
    if not path.is_file():
        raise UserError(f"no teacher store in {folder} (no {NAME}); {FIX}")
    try:
        content = json.loads(path.read_text())
        if content.get("format") != FORMAT:
            raise UserError(f"{path} is of format {content.get('format')}; expected {FORMAT}")
        meta = StoreMeta(**content)
        meta.dim, meta.shards + meta.pictures  # noqa: B018 - both must be there
        return meta
    except (json.JSONDecodeError, AttributeError, TypeError, KeyError) as error:
        raise UserError(f"{path} is damaged ({error!r}); {FIX}") from error
