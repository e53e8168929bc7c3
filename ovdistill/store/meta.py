"""``meta.json`` of a store: teacher, source of the boxes, number of images and shards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ovdistill.core.errors import UserError
from ovdistill.core.files import write_json
from ovdistill.core.header_values import COUNT, OBJECT, SIZE, TEXT, expect
from ovdistill.core.json_files import read_json
from ovdistill.core.teacher_id import TeacherId
from ovdistill.store.same_plan import comparable

FORMAT = "ovdistill-store-2"
NAME = "meta.json"
MOST_SHARDS = 10**6
COUNTS = ("pictures", "regions", "skipped")
FIX = "make it with: ovdistill extract (ovdistill prepare does so where it can)"
# keys of the origin: the files of a teacher that is given by some, and what follows the teacher
TEACHER_FILES = "teacher's files"
TEACHER_CHANGES = "teacher's maps and adapters"
ELSEWHERE = "Name another folder (-o; --cfg-options regions=DIR of train and prepare)"


@dataclass(frozen=True)
class StoreMeta:
    """Plan of a store, fixed before its first shard is written, and counts of the complete store.

    The file keeps the keys of its first version: 'pictures' for images, 'dim' for D.

    Attributes:
        provenance: plain JSON values: teacher, teacher_hash, dim, crops, proposals, ...
        images: number of images, including the skipped ones.
        shards: number of files.
        counts: of the complete store, under 'pictures' (not skipped), 'regions' and 'skipped',
            and, in stores that were extracted, 'empty' (images without a region); no counts until
            it is complete.
        origin: digests of inputs, by which a later run sees that they have changed; not part of the
            plan, and {} in stores of earlier versions.
    """

    provenance: dict[str, Any]
    images: int
    shards: int
    counts: dict[str, int] = field(default_factory=dict)
    origin: Mapping[str, str] = field(default_factory=dict)

    @property
    def embed_dim(self) -> int:
        """Width of the embeddings, D."""
        return self.provenance["dim"]

    @property
    def teacher(self) -> TeacherId:
        """Teacher that embedded the regions."""
        return TeacherId.from_header(self.provenance)

    @property
    def summary(self) -> str:
        """Counts of the complete store in words: "30 images, 360 regions, 0 skipped"."""
        images, regions, skipped = (self.counts[key] for key in COUNTS)
        empty = self.counts.get("empty")
        note = f" ({empty} without one)" if empty else ""
        return f"{images} images, {regions} regions{note}, {skipped} skipped"

    @property
    def fingerprint(self) -> str:
        """First 16 hex digits of the plan's SHA-256, without counts; every shard states them."""
        plan = {k: v for k, v in self.to_json().items() if k not in ("counts", "origin")}
        return hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``meta.json``."""
        content = {
            "provenance": self.provenance,
            "pictures": self.images,
            "shards": self.shards,
            "counts": self.counts,
            "format": FORMAT,
        }
        return content | ({"origin": dict(self.origin)} if self.origin else {})

    def check_same(self, there: StoreMeta, folder: Path) -> None:
        """Raise UserError if the store in a folder was planned differently.

        Args:
            there: plan of the store in the folder.
            folder: named in the message.
        """
        known = self.origin.keys() & there.origin.keys()
        same = all(self.origin[key] == there.origin[key] for key in known)
        plans = [replace(meta, provenance=comparable(meta.provenance)) for meta in (self, there)]
        if plans[0].fingerprint == plans[1].fingerprint and same:
            return
        mine, theirs = self._plan(known), there._plan(known)
        compared = [plan._plan(known) for plan in plans]
        different = [
            f"{key}: {theirs.get(key)} there, {mine.get(key)} now"
            for key in sorted(mine.keys() | theirs.keys())
            if compared[0].get(key) != compared[1].get(key)
        ]
        raise UserError(
            f"store {folder} was begun differently: {'; '.join(different)}. {ELSEWHERE}, or delete "
            "this one to make it anew."
        )

    def _plan(self, known: Iterable[str]) -> dict[str, Any]:
        """Return all that is compared, with the digests of these names."""
        digests = {key: self.origin[key] for key in known}
        return {**self.provenance, "images": self.images, "shards": self.shards, **digests}


def digest_changes(digests: Iterable[str]) -> str:
    """Return what is noted of the maps and adapters that follow a teacher.

    Args:
        digests: of each of them. Their order does not count, since each is made for one teacher.
    """
    return " ".join(sorted(digest[:16] for digest in digests))


def write_meta(folder: Path, meta: StoreMeta) -> None:
    """Write ``meta.json``, complete or not at all."""
    write_json(folder / NAME, meta.to_json())


def read_meta(folder: Path) -> StoreMeta:
    """Read the ``meta.json`` of a store.

    Raises:
        UserError: there is none, or it is damaged or of another format.
    """
    path = folder / NAME
    if folder.is_file():
        raise UserError(f"{folder} is a file; expected a store, a folder of {FORMAT}; {FIX}")
    if not path.is_file():
        raise UserError(f"no teacher store in {folder} (no {NAME}); {FIX}")
    content = read_json(path, f"{NAME} of the store", hint=FIX)
    try:
        return _parse(content)
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}); {FIX}") from error


def check_regions(folder: Path, meta: StoreMeta) -> None:
    """Raise UserError if a complete store holds no region at all, so that nothing can be learned.

    Args:
        folder: the store, for the message.
        meta: its ``meta.json``.
    """
    if meta.counts and not meta.counts["regions"]:
        raise UserError(
            f"store {folder} has no region: {meta.summary}. skipped.json there has the reasons, "
            "if boxes were dropped. Delete it, and extract again with proposals of these images."
        )


def _parse(content: Any) -> StoreMeta:
    """Return the content of ``meta.json``; raise ValueError if it is damaged."""
    content = expect({"content": content}, "content", OBJECT)
    if content.get("format") != FORMAT:
        raise ValueError(f"it is of format {str(content.get('format')):.60}; expected {FORMAT}")
    provenance = expect(content, "provenance", OBJECT)
    expect(provenance, "dim", SIZE)
    for key in ("teacher", "teacher_hash"):
        if key in provenance:
            expect(provenance, key, TEXT)
    counts = expect({"counts": {}, **content}, "counts", OBJECT)
    for key in (*COUNTS, *counts) if counts else ():
        expect(counts, key, COUNT)
    shards = expect(content, "shards", COUNT)
    if shards > MOST_SHARDS:
        raise ValueError(f"it has {shards} shards; expected {MOST_SHARDS} or fewer")
    images = expect(content, "pictures", COUNT)
    origin = expect({"origin": {}, **content}, "origin", OBJECT)
    return StoreMeta(provenance, images, shards, counts, origin)
