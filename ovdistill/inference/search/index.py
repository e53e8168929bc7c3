"""Index: the regions of many images, searched with any text."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.inference.asked import Text
from ovdistill.inference.detector import Detector
from ovdistill.inference.pretrained import find_detector
from ovdistill.inference.search.exact_top import Ranking
from ovdistill.inference.search.one_object import best_of_objects
from ovdistill.inference.search.queries import Box, Query, query_of_example, query_of_text
from ovdistill.store import index_files as files
from ovdistill.store.index_files import IndexHeader
from ovdistill.store.mapped_shards import MappedShards, Row
from ovdistill.store.meta import NAME as META
from ovdistill.store.meta import read_meta

LOGGER = logging.getLogger(__name__)
State = Literal["as indexed", "changed", "missing"]


@dataclass(frozen=True)
class Hit:
    """A region that was found.

    Attributes:
        rank: 1 is the best.
        score: cosine with what was searched for, in the teacher's space.
        image: the file.
        box: xyxy, absolute pixels of the image.
        objectness: probability that it is an object, times how well its box fits.
        name: which of the phrases fits best.
        state: of the file, since it was indexed.
    """

    rank: int
    score: float
    image: str
    box: Box
    objectness: float
    name: str
    state: State


class Index:
    """Regions of many images. They are mapped into memory, so that opening reads little.

    Examples:
        >>> index = Index.open("photos.index")
        >>> hits = index.search("striped star", k=50)

    Args:
        folder: a finished index.
        root: folder where the images are now; by default where they were.
        detector: embeds texts and examples; by default the one that made the index, which is loaded
            when it is needed, see ``open_detector``.

    Raises:
        UserError: no index, one of another version, one that is damaged, not finished or has no
            region.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        root: str | os.PathLike[str] | None = None,
        detector: Detector | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.header: IndexHeader = files.read_index_header(self.folder)
        self.root = self.header.root if root is None else os.path.abspath(root)
        self._moved = root is not None  # a copy has a time of its own
        self._parts = _open_parts(self.folder, self.header)
        paths = [files.images_path(self.folder, part) for part in range(len(self._parts))]
        latest = files.latest_records([files.read_images(path) for path in paths])
        self._records = {record.image_id: record for record in latest.values()}
        self._image_ids = torch.cat([_ids([]), *(part.image_ids for part in self._parts)])
        self._replaced = ~torch.isin(self._image_ids, _ids(self._records))
        self._gone = torch.zeros_like(self._replaced)  # rows of images that a search missed
        if not len(self):
            raise UserError(
                f"index {self.folder} of {len(latest)} images has no region to search; "
                "skipped.json in its folders has the reasons"
            )
        if detector is not None:
            self.detector = detector

    @classmethod
    def open(
        cls,
        folder: str | os.PathLike[str],
        root: str | os.PathLike[str] | None = None,
        detector: Detector | None = None,
    ) -> Index:
        """Open an index that ``write_index`` has written, see ``Index``."""
        return cls(folder, root, detector)

    def __len__(self) -> int:
        return int((~self._replaced).sum())

    def __repr__(self) -> str:
        return f"Index of {len(self)} regions in {self.images} images, made by {self.header.model}"

    @property
    def images(self) -> int:
        """How many images it knows, those without regions included."""
        return len(self._records)

    @property
    def gone(self) -> int:
        """How many images with regions are not there any more, as far as searches have noticed."""
        return len(self._image_ids[self._gone].unique())

    @property
    def blocks(self) -> list[Tensor]:
        """All embeddings, mapped into memory: (p, D) float16 each."""
        return [block for part in self._parts for block in part.blocks]

    @cached_property
    def detector(self) -> Detector:
        """The detector that embeds texts and examples."""
        return open_detector(self.header)

    def search(
        self, text: Text, k: int = 50, *, missing: bool = False, overlapping: bool = False
    ) -> list[Hit]:
        """Return the regions that a text describes best, best first.

        Args:
            text: names between commas, a file of names, a list, a mapping of names to phrases, or a
                vocabulary. A region has the score of the phrase that fits it best.
            k: how many; all if the index has fewer.
            missing: see ``find``.
            overlapping: see ``find``.

        Raises:
            UserError: see ``query_of_text``, or k below 1.
        """
        query = query_of_text(text, self.detector, self.header)
        for note in query.notes:
            LOGGER.warning("%s", note)
        return self.find(query, k, missing=missing, overlapping=overlapping)

    def search_like(
        self,
        image: str | os.PathLike[str],
        box: Box | None = None,
        k: int = 50,
        *,
        missing: bool = False,
        overlapping: bool = False,
    ) -> list[Hit]:
        """Return the regions that are most like an object in an image, see ``query_of_example``."""
        query, _ = query_of_example(Path(image), box, self.detector, self.header)
        return self.find(query, k, missing=missing, overlapping=overlapping)

    def find(
        self, query: Query, k: int = 50, *, missing: bool = False, overlapping: bool = False
    ) -> list[Hit]:
        """Return the k best regions, best first; of equal scores the one that was indexed first.

        Args:
            query: what to look for.
            k: how many.
            missing: return regions of images that are not there any more too. Once a search meets
                one, all images are looked for, and what is missing is left out until the index is
                opened again.
            overlapping: return a region that overlaps with a better one of its image by more than
                ``SAME_OBJECT`` too.

        Raises:
            UserError: k below 1, or a query of another width than the index.
        """
        if k < 1:
            raise UserError(f"got k = {k}; expected 1 or more")
        width = self.blocks[0].shape[1]
        if query.embeddings.shape[1] != width:
            raise UserError(
                f"a query of width {query.embeddings.shape[1]} for an index of width {width}; "
                "expected the same teacher"
            )
        ranking = Ranking(self.blocks, query.embeddings.cpu())
        ranking.leave_out(self._replaced if missing else self._replaced | self._gone)
        hits = self._best(ranking, query, k, overlapping=overlapping)
        if not missing and any(hit.state == "missing" for hit in hits):
            gone = files.gone(self._records.values(), self.root)
            self._gone = torch.isin(self._image_ids, _ids(record.image_id for record in gone))
            ranking.leave_out(self._gone)
            hits = self._best(ranking, query, k, overlapping=overlapping)
        return hits

    def _best(self, ranking: Ranking, query: Query, k: int, *, overlapping: bool) -> list[Hit]:
        """Return the k best regions of a ranking, or all that it has."""
        ranked = k if overlapping else 2 * k  # an object has two regions at most, mostly
        while True:
            found = ranking.best(ranked)
            rows = found.rows.tolist()
            regions = (self._row(row) for row in rows)
            boxes = ((region.image_id, region.box) for region in regions)
            chosen = [*range(len(rows))] if overlapping else best_of_objects(boxes, k)
            if len(chosen) == k or len(rows) < ranked:
                break
            ranked *= 2
        return [
            self._hit(rank, self._row(rows[i]), found.scores[i], query.names[found.queries[i]])
            for rank, i in enumerate(chosen, start=1)
        ]

    def _row(self, row: int) -> Row:
        """Return a region by its place among those of all parts."""
        part = 0
        while row >= len(self._parts[part]):
            row -= len(self._parts[part])
            part += 1
        return self._parts[part][row]

    def _hit(self, rank: int, region: Row, score: float, name: str) -> Hit:
        record = self._records[region.image_id]
        path = record.path(self.root)
        now = files.file_state(path)
        same = now[0] == record.bytes and (self._moved or now[1] == record.mtime_ns)
        state: State = "as indexed" if same else "changed"
        if not os.path.isfile(path):
            state = "missing"
        return Hit(rank, float(score), str(path), region.box, region.objectness, name, state)


def open_detector(header: IndexHeader, device: str | None = None) -> Detector:
    """Load the detector that an index names, unless that would run code: an index is data.

    Raises:
        UserError: it is not there, or it is the folder of a training, whose config is code.
    """
    try:
        files = find_detector(header.model, code=False)
    except UserError as error:
        raise UserError(
            f"the detector that the index names cannot be taken: {error}. Name one that you "
            "trust: --model DETECTOR, in Python Index.open(..., detector=...)"
        ) from error
    return Detector(files, device=device)


def _ids(image_ids: Iterable[int]) -> Tensor:
    return torch.tensor([*image_ids], dtype=torch.int64)


def _open_parts(folder: Path, header: IndexHeader) -> list[MappedShards]:
    """Return the regions of each part.

    Raises:
        UserError: a part that was begun and not finished, or that belongs to another index.
    """
    parts = []
    for number in range(files.count_parts(folder)):
        store = files.regions_path(folder, number)
        if not (store / META).is_file() or not read_meta(store).counts:
            raise UserError(
                f"index {folder} is not finished ({store.name}). Run `ovdistill index` again with "
                "the same options: it goes on where it stopped."
            )
        part = MappedShards(store)
        if not part.store.teacher.is_same(header.teacher_id):
            raise UserError(
                f"{store} has embeddings of teacher {part.store.teacher}; its index states "
                f"{header.teacher_id}: it is damaged; {files.FIX}"
            )
        parts.append(part)
    if len({part.store.meta.embed_dim for part in parts}) > 1:
        raise UserError(f"index {folder} has embeddings of several widths; {files.FIX}")
    return parts
