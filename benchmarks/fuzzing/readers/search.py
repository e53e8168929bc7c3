"""What `ovdistill index` writes and `ovdistill search` reads."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import torch

from ovdistill.inference.search.hit_files import crop_around, hits_as_json
from ovdistill.inference.search.index import Index
from ovdistill.inference.search.queries import Query
from ovdistill.store import Regions, index_files, write_store
from ovdistill.store.index_files import ImageRecord, IndexHeader

from ..mutate_bytes import mutate_bytes
from ..mutate_json import dump, mutate_json
from ..mutate_tensors import mutate_safetensors
from ..reader import Files, Reader, change_one
from .store import HEADER, signed

WIDTH = 4


class IndexReader(Reader):
    """``Index``: opened, searched, and what is found made into JSON and crops."""

    name = "index"

    def seeds(self) -> Sequence[Files]:
        """Return an index of three images in two parts, of which the second replaces an image."""
        generator = torch.Generator().manual_seed(0)
        boxes = torch.tensor([[0.0, 0.0, 5.0, 5.0], [1.0, 1.0, 6.0, 7.0]])
        header = IndexHeader(root="/", model="fuzz", detector_hash="", regions=2, **HEADER)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            index_files.write_header(folder, header)
            for part, ids in enumerate([(0, 1), (2, 3)]):
                records = [ImageRecord(i, f"{max(i, 1)}.png", 9, 9) for i in ids]
                index_files.write_images(index_files.images_path(folder, part), records)
                regions = [
                    (i, Regions(boxes, boxes[:, 2] / 9, torch.randn(2, WIDTH, generator=generator)))
                    for i in ids
                ]
                write_store(index_files.regions_path(folder, part), regions, dict(HEADER))
            paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
            return [{str(path.relative_to(folder)): path.read_bytes() for path in paths}]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change or lose a file; mostly sign the stores again, so that more is read."""
        changed, name = change_one(files, rng)
        kind = rng.random()
        if kind < 0.05:
            del changed[name]
        elif name.endswith(".safetensors"):
            changed[name] = mutate_safetensors(changed[name], rng)
        elif kind < 0.2:
            changed[name] = mutate_bytes(changed[name], rng)
        else:
            changed[name] = dump(mutate_json(json.loads(changed[name]), rng))
        return _signed_again(changed) if rng.random() < 0.7 else changed

    def read(self, folder: Path) -> None:
        """Open the index and search it."""
        index = Index.open(folder)
        repr(index)
        query = Query(("any",), torch.ones(1, WIDTH))
        hits = index.find(query, 3, missing=True)
        assert hits, "an index with regions has no hit"
        assert len(index.find(query, 3, missing=True, overlapping=True)) >= len(hits)
        index.find(query, 3)
        json.dumps(hits_as_json(hits), allow_nan=False)
        for hit in hits:
            crop_around(np.zeros((6, 8, 3), np.uint8), hit.box)


def _signed_again(files: Files) -> Files:
    """Return the files with the checksums of each store that belong to them."""
    changed = dict(files)
    for part in (0, 1):
        folder = f"{index_files.regions_path(Path(), part)}/"
        own = {n.removeprefix(folder): files[n] for n in files if n.startswith(folder)}
        changed |= {folder + name: content for name, content in signed(own).items()}
    return changed
