"""Index: the regions of many images, searched with any text."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from ovdistill.core.errors import UserError
from ovdistill.inference.asked import Text
from ovdistill.inference.detector import Detector
from ovdistill.inference.search.exact_top import top_rows
from ovdistill.inference.search.queries import Box, Query, query_of_example, query_of_text
from ovdistill.store import index_files as files
from ovdistill.store.index_files import IndexHeader
from ovdistill.store.mapped_shards import MappedShards
from ovdistill.store.meta import NAME as META
from ovdistill.store.meta import read_meta

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

    Example:
        >>> index = Index.open("photos.index")
        >>> hits = index.search("striped star", k=50)

    Args:
        folder: a finished index.
        root: folder where the images are now; by default where they were.
        detector: embeds texts and examples; by default the one that made the index, which is loaded
            when it is needed.

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
        image_ids = torch.cat([torch.zeros(0).long(), *(part.image_ids for part in self._parts)])
        alive = torch.tensor(sorted(self._records), dtype=torch.int64)
        self._replaced = ~torch.isin(image_ids, alive)
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
    def blocks(self) -> list[Tensor]:
        """All embeddings, mapped into memory: (p, D) float16 each."""
        return [block for part in self._parts for block in part.blocks]

    @cached_property
    def detector(self) -> Detector:
        """The detector that embeds texts and examples."""
        return Detector.from_pretrained(self.header.model)

    def search(self, text: Text, k: int = 50) -> list[Hit]:
        """Return the regions that a text describes best.

        Args:
            text: names between commas, a file of names, a list, a mapping of names to phrases, or a
                vocabulary. A region has the score of the phrase that fits it best.
            k: how many; all if the index has fewer.

        Raises:
            UserError: see ``query_of_text``, or k below 1.
        """
        return self.find(query_of_text(text, self.detector, self.header), k)

    def search_like(
        self, image: str | os.PathLike[str], box: Box | None = None, k: int = 50
    ) -> list[Hit]:
        """Return the regions that are most like an object in an image, see ``query_of_example``."""
        query, _ = query_of_example(Path(image), box, self.detector, self.header)
        return self.find(query, k)

    def find(self, query: Query, k: int = 50) -> list[Hit]:
        """Return the k best regions, best first; of equal scores the one that was indexed first.

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
        found = top_rows(self.blocks, query.embeddings.cpu(), k, self._replaced)
        triples = zip(found.rows.tolist(), found.scores.tolist(), found.queries, strict=True)
        return [
            self._hit(rank, row, score, query.names[which])
            for rank, (row, score, which) in enumerate(triples, start=1)
        ]

    def _hit(self, rank: int, row: int, score: float, name: str) -> Hit:
        part = 0
        while row >= len(self._parts[part]):
            row -= len(self._parts[part])
            part += 1
        found = self._parts[part][row]
        record = self._records[found.image_id]
        path = record.path(self.root)
        now = files.file_state(path)
        same = now[0] == record.bytes and (self._moved or now[1] == record.mtime_ns)
        state: State = "as indexed" if same else "changed"
        if not path.is_file():
            state = "missing"
        return Hit(rank, score, str(path), found.box, found.objectness, name, state)


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
