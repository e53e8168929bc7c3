"""Searches indexes for all who have the page open."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ovdistill.app.finder import Finder, read_names
from ovdistill.core.errors import UserError
from ovdistill.core.files import hash_file
from ovdistill.inference.search.hit_files import crop_around, read_if_there
from ovdistill.inference.search.index import Hit, Index
from ovdistill.inference.search.queries import query_of_example
from ovdistill.visualization.contact_sheet import lost_tile

MOST_HITS = 200


class Searcher:
    """Indexes by their names.

    Args:
        folders: the indexes; their last parts are their names.
        finder: its detector embeds texts for those indexes that it has made.
    """

    def __init__(self, folders: Sequence[Path], finder: Finder) -> None:
        self.finder = finder
        weights = finder.detector.files.weights
        own = None if weights is None else hash_file(weights)
        self.indexes: dict[str, Index] = {}
        for folder in folders:
            index = Index.open(folder)
            if index.header.detector_hash == own:
                index.detector = finder.detector
            name = folder.resolve().name
            if name in self.indexes:
                raise UserError(f"got two indexes called {name}; expected different names")
            self.indexes[name] = index

    def search(self, name: str, text: str, k: int) -> list[Hit]:
        """Return the regions that a text describes best.

        Raises:
            UserError: no text, or see ``Index.search``.
        """
        names = read_names(text)
        with self.finder.lock:
            return self.indexes[name].search(names, min(k, MOST_HITS))

    def search_like(
        self,
        name: str,
        image: str | np.ndarray,
        box: tuple[float, float, float, float] | None,
        k: int,
    ) -> list[Hit]:
        """Return the regions that are most like an object, see ``query_of_example``."""
        index = self.indexes[name]
        with self.finder.lock:
            query, _ = query_of_example(image, box, index.detector, index.header)
            return index.find(query, min(k, MOST_HITS))


def tiles(hits: Sequence[Hit]) -> list[tuple[np.ndarray, str]]:
    """Return the crop of each hit and a line about it; a grey tile where the image is lost."""
    several = len({hit.name for hit in hits}) > 1
    images: dict[str, np.ndarray | None] = {}
    found = []
    for hit in hits:
        if hit.image not in images:
            images = {hit.image: read_if_there(hit.image)}  # one at a time: they may be large
        image = images[hit.image]
        crop = np.asarray(lost_tile(hit.image)) if image is None else crop_around(image, hit.box)
        found.append((crop, f"{hit.score:.3f}" + f" {hit.name}" * several))
    return found
