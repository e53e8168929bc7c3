"""Write a store again with its embeddings mapped, without running the teacher.

    ovdistill store centre STORE --vocabulary FILE -o centred.safetensors
    ovdistill store map STORE centred.safetensors -o STORE-centred

The new store is that of the teacher with the map behind it: `teacher.embedding_map=MAP` in the
config, which makes the vocabulary anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ovdistill.commands.checks import check_folder
from ovdistill.commands.options import CommonOptions, argument, option


@dataclass(frozen=True, kw_only=True)
class MapOptions(CommonOptions):
    """Options of ``ovdistill store map``."""

    store: Path = argument("folder of the store")
    embedding_map: str = argument("file of the map, or 'ovshapes-clip'", metavar="MAP")
    out: Path = option(flags=["-o"], help="the new store", metavar="STORE", writes="folder")


def map_embeddings(options: MapOptions) -> None:
    """Write the new store.

    Raises:
        UserError: no such store or map, a map for another teacher, or a folder that holds
            something else.
    """
    check_folder(options.store, "STORE")
    from ovdistill.core.embedding_map import read_embedding_map
    from ovdistill.store.map_store import map_store

    meta = map_store(options.store, read_embedding_map(options.embedding_map), options.out)
    print(f"wrote {options.out}: {meta.summary}")
