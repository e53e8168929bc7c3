"""Writes a store again with its embeddings mapped, without the teacher."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ovdistill.core.embedding_map import EmbeddingMap, embed_dim_after, mapped_id
from ovdistill.core.errors import UserError
from ovdistill.core.logs import progress
from ovdistill.store.maintenance import verify
from ovdistill.store.meta import TEACHER_CHANGES, StoreMeta, digest_changes
from ovdistill.store.plan import begin_store, finish_store
from ovdistill.store.regions import Regions
from ovdistill.store.shard import read_index, shard_path, write_shard
from ovdistill.store.teacher_store import TeacherStore


def map_store(folder: Path, embedding_map: EmbeddingMap, out: Path) -> StoreMeta:
    """Write a store whose embeddings are those of another one, mapped; continue where it stopped.

    It is what extraction with the mapped teacher would make, up to the rounding to float16.

    Args:
        folder: a complete store.
        embedding_map: a map for the store's teacher.
        out: folder of the new store.

    Returns:
        The content of the new store's ``meta.json``.

    Raises:
        UserError: a damaged store, a map for another teacher or width, or a folder ``out`` with
            something else in it.
    """
    meta = verify(folder)
    if not embedding_map.teacher.is_same(meta.teacher):
        raise UserError(
            f"embedding map {embedding_map.name!r} is of teacher {embedding_map.teacher}; store "
            f"{folder} is of teacher {meta.teacher}"
        )
    width = embed_dim_after(embedding_map, meta.embed_dim)
    header: dict[str, Any] = mapped_id(meta.teacher, embedding_map).to_header()
    provenance = {**meta.provenance, **header, "dim": width}
    planned = dataclasses.replace(
        meta, provenance=provenance, counts={}, origin=_mapped_origin(meta, embedding_map)
    )
    mapped = begin_store(out, planned)
    store = TeacherStore(folder)
    for number in progress(range(meta.shards), title="mapping", unit="shard"):
        if not shard_path(out, number).is_file():
            index = read_index(folder, number, meta.fingerprint)
            records = [(i, _mapped(store[i], embedding_map)) for i in index.image_ids.tolist()]
            of_map = mapped.fingerprint, width, records
            write_shard(out, number, *of_map, index.skipped, index.images)
    return finish_store(out, mapped)


def _mapped_origin(meta: StoreMeta, embedding_map: EmbeddingMap) -> Mapping[str, str]:
    """Return the digests of a store's inputs with that of one more map behind its teacher."""
    before = meta.origin.get(TEACHER_CHANGES, "")
    if not before and "+" in meta.teacher.name:
        return meta.origin  # a store of an earlier version does not say by what it was mapped
    return {**meta.origin, TEACHER_CHANGES: digest_changes([*before.split(), embedding_map.digest])}


def _mapped(regions: Regions, embedding_map: EmbeddingMap) -> Regions:
    embeddings = embedding_map.images(regions.embeddings.float()).to(regions.embeddings.dtype)
    return dataclasses.replace(regions, embeddings=embeddings)
