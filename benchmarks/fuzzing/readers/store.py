"""What extraction writes and training reads: stores of regions, of captions; proposal files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

import torch
from safetensors import SafetensorError
from safetensors.torch import load

from ovdistill.extraction.images import ImageFile, LoadedImage
from ovdistill.extraction.proposals import FileProposals, keep_best_boxes
from ovdistill.store import CaptionStore, Regions, TeacherStore, write_store
from ovdistill.store.captions import write_captions
from ovdistill.store.maintenance import describe, verify
from ovdistill.store.meta import StoreMeta
from ovdistill.store.shard import KEY, _digest  # as the store itself signs

from ..mutate_bytes import mutate_bytes
from ..mutate_json import dump, mutate_json
from ..mutate_tensors import in_order, join, mutate_safetensors, parse
from ..reader import Files, Reader, change_one

HEADER = {"teacher": "fuzz", "teacher_hash": "0" * 16}
MOST = 20  # images of a store that are looked at


class StoreReader(Reader):
    """``TeacherStore``, ``store info`` and ``store verify``."""

    name = "store"

    def seeds(self) -> Sequence[Files]:
        """Return a store of three images in two shards."""
        generator = torch.Generator().manual_seed(0)
        boxes = torch.tensor([[0.0, 0.0, 5.0, 5.0], [1.0, 1.0, 6.0, 7.0]])
        embeddings = torch.randn(2, 4, generator=generator)
        records = [(i, Regions(boxes, torch.tensor([0.9, 0.5]), embeddings)) for i in (1, 2, 3)]
        with tempfile.TemporaryDirectory() as folder:
            path = write_store(Path(folder, "store"), records, dict(HEADER), images_per_shard=2)
            return [{file.name: file.read_bytes() for file in sorted(path.iterdir())}]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change or lose a file, or give it the content of another."""
        changed, name = change_one(files, rng)
        kind = rng.random()
        if kind < 0.03:
            del changed[name]
        elif kind < 0.06:
            changed[name] = changed[rng.choice(list(changed))]
        elif name.endswith(".safetensors"):
            changed[name] = mutate_safetensors(changed[name], rng)
        elif kind < 0.2:
            changed[name] = mutate_bytes(changed[name], rng)
        else:
            changed[name] = dump(mutate_json(json.loads(changed[name]), rng))
        return signed(changed) if rng.random() < 0.7 else changed

    def read(self, folder: Path) -> None:
        """Open the store, read its regions, describe and verify it."""
        store = TeacherStore(folder)
        str(store.teacher)
        for image_id in store.image_ids[:MOST]:
            regions = store[image_id]
            regions.top(1)
            assert len(regions.boxes) == len(regions.embeddings), "boxes without embeddings"
            float(regions.embeddings.float().sum())
        json.dumps(describe(folder))
        str(verify(folder).summary)


def signed(files: Files) -> Files:
    """Return the files of a store with the fingerprints and checksums that belong to them.

    Else every reader would stop at the checksum. Files that have lost their form stay as they are.
    """
    changed = dict(files)
    try:
        plan = json.loads(changed["meta.json"])
        meta = StoreMeta(plan["provenance"], plan["pictures"], plan["shards"])
        fingerprint = meta.fingerprint
    except (KeyError, TypeError, ValueError, RecursionError):
        return changed
    for name, content in files.items():
        if (parsed := parse(content)) is None:
            continue
        header, payload = parsed
        try:
            own = json.loads(header["__metadata__"][KEY])
            own |= {"store": fingerprint}
            own.pop("sha256", None)
            own["sha256"] = _digest(load(content), own)
        except (KeyError, TypeError, ValueError, RecursionError, SafetensorError):
            continue
        header["__metadata__"][KEY] = json.dumps(own)
        changed[name] = join(header, payload)
    return changed


class CaptionStoreReader(Reader):
    """``CaptionStore``."""

    name = "captions"

    def seeds(self) -> Sequence[Files]:
        """Return a store of two images with three captions."""
        embeddings = torch.randn(4, 4, generator=torch.Generator().manual_seed(0))
        captions = {1: [(0, [1, 2]), (3, [])], 2: [(2, [1])]}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "captions.safetensors")
            write_captions(path, captions, embeddings, dict(HEADER))
            return [{"input.safetensors": in_order(path.read_bytes())}]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change header, tensors or bytes."""
        return {name: mutate_safetensors(content, rng) for name, content in files.items()}

    def read(self, folder: Path) -> None:
        """Open the store and read the captions of every image."""
        store = CaptionStore(folder / "input.safetensors")
        str(store.teacher)
        for image_id in list(store._rows)[:MOST]:
            for caption in store[image_id]:
                assert caption.embedding.shape == caption.phrases.shape[1:], "shapes differ"
                assert bool(caption.embedding.isfinite().all()), "an embedding is not finite"


class ProposalsReader(Reader):
    """``FileProposals``, and the choice of the best boxes."""

    name = "proposals"

    def seeds(self) -> Sequence[Files]:
        """Return a file with boxes of two images."""
        rows = [
            {"image_id": 1 + i % 2, "bbox": [i, i, 20 + i, 10], "score": 0.9 - i / 10}
            for i in range(4)
        ]
        return [{"input.json": dump(rows)}]

    def mutate(self, files: Files, rng: Random) -> Files:
        """Change values and rows; every tenth time bytes."""
        content = files["input.json"]
        if rng.random() < 0.1:
            return {"input.json": mutate_bytes(content, rng)}
        return {"input.json": dump(mutate_json(json.loads(content), rng))}

    def read(self, folder: Path) -> None:
        """Read the file, and take the best boxes of each image."""
        source = FileProposals(folder / "input.json")
        files = [ImageFile(i, f"{i}.png", (48, 64)) for i in (1, 2, 3)]
        check = getattr(source, "check", None)
        if check:
            check(files)
        images = [LoadedImage(file, torch.zeros(3, 48, 64, dtype=torch.uint8)) for file in files]
        for proposals in source.propose(images):
            boxes, scores, _ = keep_best_boxes(proposals, (48, 64), per_image=3, min_size=1.0)
            assert bool(boxes.isfinite().all() and scores.isfinite().all()), "not finite"
