"""How long a search of many regions takes, and how it compares with other ways to be exact.

    python -m benchmarks.searching --texts clip_text_embeddings.npy      # (n, D), such as LVIS's
    python -m benchmarks.searching --rows 100000                         # isotropic ones only
    python -m benchmarks.searching --alone --twice                       # objects, not regions
    python -m benchmarks.searching --alone --threads 2                   # on a machine at rest

Writes an index of random regions, searches it, and prints medians of CPU milliseconds on one core
(of the clock with --threads), after a first search has read the files: of ``Index.find``, which
scores in half precision and rescores what may be among the best, with and without leaving one
region of each object, and after one of the images was deleted; and of a pass over all rows in
float32, in int8 (converted by blocks that fit in the cache), and over the leading principal
directions. For these, "left" is how many rows the error bound (int8) or the Cauchy-Schwarz bound
of the rest (directions) leaves to score again; a way that leaves many is none.

With --texts, regions are drawn around the texts with noise of the texts' covariance, and the
queries are texts, plus the region of an image; else both are isotropic. With --twice, every object
has two regions, whose boxes have an IoU of 0.6 and whose embeddings a cosine of about 0.9.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from ovdistill.inference.search.exact_top import Ranking, error_bound
from ovdistill.inference.search.index import Hit, Index
from ovdistill.inference.search.queries import Query
from ovdistill.store import Regions, index_files
from ovdistill.store.meta import StoreMeta
from ovdistill.store.plan import begin_store, finish_store
from ovdistill.store.shard import write_shard

REGIONS, IMAGES_PER_SHARD, K = 20, 128, 50
ROWS_OF_SHARD = REGIONS * IMAGES_PER_SHARD
IN_CACHE = 1024  # rows of float32 that a core's cache holds
LEADING = (64, 128, 256)
NOISE = 0.45  # norm of what the second region of an object differs by


class World:
    """Random embeddings: isotropic, or around texts."""

    def __init__(self, texts: Tensor | None, width: int) -> None:
        self.texts = texts
        self.width = width if texts is None else texts.shape[1]
        if texts is not None:
            covariance = torch.cov(texts.T.double())
            values, vectors = torch.linalg.eigh(covariance)
            self.noise = (vectors * values.clamp(min=0).sqrt()).float().T

    def regions(self, count: int) -> Tensor:
        """Return random regions, (count, D) of unit norm."""
        rows = torch.randn(count, self.width)
        if self.texts is not None:
            rows = self.texts[torch.randint(len(self.texts), (count,))] + rows @ self.noise
        return normalize(rows, dim=1)

    def queries(self, count: int) -> Tensor:
        """Return texts, or, without texts, regions."""
        if self.texts is None:
            return self.regions(count)
        return self.texts[torch.randperm(len(self.texts))[:count]]


def write_random_index(folder: Path, world: World, shards: int, *, twice: bool) -> None:
    images = shards * IMAGES_PER_SHARD
    root = folder / "images"  # of empty files: a search looks whether they are there
    root.mkdir()
    header = dict(model="random", detector_hash="", teacher="random", teacher_hash="")
    index_files.write_header(folder, index_files.IndexHeader(str(root), **header, regions=REGIONS))
    records = [index_files.ImageRecord(i, f"{i}.png", 0, 0) for i in range(images)]
    for record in records:
        (root / record.file).touch()
    index_files.write_images(index_files.images_path(folder, 0), records)
    store = index_files.regions_path(folder, 0)
    plan = StoreMeta(dict(teacher="random", teacher_hash="", dim=world.width), images, shards)
    meta = begin_store(store, plan)
    left = torch.arange(REGIONS) * 20.0
    boxes = torch.stack([left, torch.zeros(REGIONS), left + 16, torch.full((REGIONS,), 16.0)], 1)
    if twice:
        boxes[1::2] = boxes[0::2] + torch.tensor([4.0, 0, 4, 0])
    objectness = torch.ones(REGIONS)
    for number in range(shards):
        found = world.regions(ROWS_OF_SHARD)
        if twice:
            found[1::2] = normalize(found[0::2] + NOISE * normalize(found[1::2], dim=1), dim=1)
        rows = found.split(REGIONS)
        first = number * IMAGES_PER_SHARD
        own = [(first + i, Regions(boxes, objectness, part)) for i, part in enumerate(rows)]
        write_shard(store, number, meta.fingerprint, world.width, own)
    finish_store(store, meta)


def clock() -> float:
    """Return seconds: of CPU with one thread, else of the clock, which other programs slow down."""
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def milliseconds(run: Callable[[Tensor], object], queries: Tensor) -> float:
    run(queries[0])
    taken = []
    for query in queries:
        start = clock()
        run(query)
        taken.append(clock() - start)
    return 1000 * statistics.median(taken)


def report(name: str, taken: float, left: str = "") -> None:
    print(f"  {name:<44}{taken:8.1f} ms  {left}", flush=True)


def compare_others(blocks: list[Tensor], queries: Tensor) -> None:
    rows = torch.cat(blocks)
    compare_single(rows.float(), queries)
    compare_int8(rows, queries)
    sample = rows[:: max(1, len(rows) // 50_000)].float()
    basis = torch.linalg.eigh(sample.T @ sample).eigenvectors.flip(1)
    for directions in LEADING:
        compare_leading(rows, basis, directions, queries)


def compare_single(rows: Tensor, queries: Tensor) -> None:
    report("all rows in float32", milliseconds(lambda q: torch.mv(rows, q).topk(K), queries))
    bounds = torch.tensor([error_bound(q[None].double()) for q in queries])
    left = [leftover(torch.mv(rows, q), bound) for q, bound in zip(queries, bounds, strict=True)]
    print(f"  rows that half precision leaves to score again: {statistics.median(left):.0f}")


def compare_int8(rows: Tensor, queries: Tensor) -> None:
    scale = rows.abs().amax(dim=1).float() / 127
    codes, errors = to_int8(rows, scale)
    buffer = torch.empty(IN_CACHE, rows.shape[1])

    def score(query: Tensor) -> Tensor:
        out = torch.empty(len(codes))
        for part, own in zip(codes.split(IN_CACHE), out.split(IN_CACHE), strict=True):
            torch.mv(buffer[: len(part)].copy_(part), query, out=own)
        return out.mul_(scale)

    left = shares([leftover(score(q), errors) for q in queries], len(rows))
    report("int8, by blocks", milliseconds(lambda q: score(q).topk(K), queries), left)


def compare_leading(rows: Tensor, basis: Tensor, directions: int, queries: Tensor) -> None:
    turned = torch.cat([p.float() @ basis[:, :directions] for p in rows.split(ROWS_OF_SHARD)])
    rest = (1 - turned.square().sum(1)).clamp(min=0).sqrt()

    def score(query: Tensor) -> Tensor:
        return torch.mv(turned, (query @ basis)[:directions])

    bounds = [rest * (q @ basis)[directions:].norm() for q in queries]
    left = [leftover(score(q), own) for q, own in zip(queries, bounds, strict=True)]
    taken = milliseconds(lambda q: score(q).topk(K), queries)
    report(f"{directions} leading directions in float32", taken, shares(left, len(rows)))


def to_int8(rows: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Return (P, D) int8 codes, and how far each row is from what its code stands for."""
    codes, errors = [], []
    for part, own in zip(rows.split(ROWS_OF_SHARD), scale.split(ROWS_OF_SHARD), strict=True):
        codes.append((part.float() / own[:, None]).round().to(torch.int8))
        errors.append((codes[-1].float() * own[:, None] - part.float()).norm(dim=1))
    return torch.cat(codes), torch.cat(errors)


def leftover(scores: Tensor, bound: Tensor) -> int:
    """Return how many rows may be among the K best, if each is at most ``bound`` off its score."""
    lowest = (scores - bound).topk(K).values[-1]
    return int((scores + bound >= lowest).sum())


def shares(left: list[int], count: int) -> str:
    return f"left: {statistics.median(left):.0f} of {count}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--width", type=int, default=512, help="D, without --texts")
    parser.add_argument("--texts", type=Path, help="text embeddings, a .npy file (n, D)")
    parser.add_argument("--queries", type=int, default=11)
    parser.add_argument("--threads", type=int, default=1, help="of torch; with 2, wall time")
    parser.add_argument("--twice", action="store_true", help="two regions of each object")
    parser.add_argument("--alone", action="store_true", help="measure no other way")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    texts = None
    if options.texts:
        texts = normalize(torch.from_numpy(np.load(options.texts)).float(), dim=1)
    world = World(texts, options.width)
    shards = -(-options.rows // ROWS_OF_SHARD)
    with tempfile.TemporaryDirectory() as folder:
        write_random_index(Path(folder), world, shards, twice=options.twice)
        start = clock()
        index = Index(folder)
        print(f"{index}, opened for the first time in {clock() - start:.1f} s")
        start = clock()
        index = Index(folder)
        print(f"opened again in {clock() - start:.2f} s; time of a search, k = {K}:")
        blocks = index.blocks
        kinds = {"a text": world.queries(options.queries)} if options.texts else {}
        kinds["a region"] = world.regions(options.queries)
        for kind, queries in kinds.items():
            print(f"for {kind}")
            every = milliseconds(lambda q: find(index, q, overlapping=True), queries)
            report("Index.find of regions", every)
            report(
                "Index.find, one region of each object",
                milliseconds(lambda q: find(index, q), queries),
            )
            report(
                "  its arithmetic",
                milliseconds(lambda q: Ranking(blocks, q[None]).best(K), queries),
            )
            if not options.alone:
                compare_others(blocks, queries)
        report_gone(index, queries)


def find(index: Index, query: Tensor, *, overlapping: bool = False) -> list[Hit]:
    return index.find(Query(("",), query[None]), K, overlapping=overlapping)


def report_gone(index: Index, queries: Tensor) -> None:
    """Delete the image of the best hit, and report the searches that follow."""
    Path(find(index, queries[0])[0].image).unlink()
    start = clock()
    find(index, queries[0])
    report("the first search that misses an image", 1000 * (clock() - start))
    report("those that follow", milliseconds(lambda q: find(index, q), queries))


if __name__ == "__main__":
    main()
