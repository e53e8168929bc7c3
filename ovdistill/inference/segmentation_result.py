"""The label map of one image, as users get it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.core.text import printable

SHOWN = 3  # names that ``repr`` has


@dataclass(frozen=True, eq=False, repr=False)
class SegmentationResult:
    """The class names of the pixels of an image of H x W pixels.

    Examples:
        >>> for name, share in result.shares.items():
        ...     print(f"{name}: {100 * share:.1f} % of the image")
        >>> result.save("drawn.png")
        >>> result.save_label_map("labels.png")

    Attributes:
        labels: (H, W) int32, rows of ``names``; -1 where none of them fits best, or well enough.
        names: W names that were asked for.
        confidence: (H, W) float32 in [0, 1], the score of the best name of each pixel; where the
            label is -1 that of a name that only competes, or of one that does not fit well enough.
        image: (H, W, 3) uint8 RGB, the original image, or None.
        path: the file of the image, or None.
        score_map: returns the scores of a row of ``names``, or None if they were not kept.
    """

    labels: np.ndarray
    names: tuple[str, ...]
    confidence: np.ndarray
    image: np.ndarray | None = None
    path: str | None = None
    score_map: Callable[[int], np.ndarray] | None = None

    def __repr__(self) -> str:
        found = [f"{printable(name)} {100 * self.shares[name]:.0f} %" for name in self.found]
        more = ", ..." if len(found) > SHOWN else ""
        return f"label map: {', '.join(found[:SHOWN]) or 'no name'}{more}"

    def _repr_png_(self) -> bytes | None:
        """Return the drawing for a notebook; None if the image is unknown."""
        from ovdistill.inference.drawn_labels import drawing_png

        return None if self.image is None and self.path is None else drawing_png(self)

    @property
    def shares(self) -> dict[str, float]:
        """The share of the image's pixels that each name has, 0 to 1, in the order of the names."""
        counts = np.bincount(self.labels[self.labels >= 0], minlength=len(self.names))
        shares = counts / max(1, self.labels.size)
        return dict(zip(self.names, shares.tolist(), strict=True))

    @property
    def found(self) -> tuple[str, ...]:
        """The names that occur, that of the largest share first."""
        shares = {name: share for name, share in self.shares.items() if share}
        return tuple(sorted(shares, key=lambda name: -shares[name]))

    def mask(self, name: str) -> np.ndarray:
        """Return (H, W) bool: the pixels that have a name.

        Raises:
            UserError: it was not asked for.
        """
        return self.labels == self.row(name)

    def scores(self, name: str) -> np.ndarray:
        """Return the (H, W) float32 scores of a name, 0 to 1, whatever fits best at each pixel.

        Raises:
            UserError: it was not asked for, or the scores were not kept.
        """
        row = self.row(name)
        if self.score_map is None:
            raise UserError(
                "the scores of this result were not kept: predict(..., keep_scores=True)"
            )
        return self.score_map(row)

    def row(self, name: str) -> int:
        """Return the label of a name.

        Raises:
            UserError: it was not asked for.
        """
        if name not in self.names:
            raise UserError(f"got the name {name!r}; expected one of {self.names}")
        return self.names.index(name)

    def to_dict(self) -> dict[str, Any]:
        """Return what is known of the image and its names in a form that JSON can hold.

        Returns:
            ``image`` (the path), ``height``, ``width`` and ``names``: ``label``, ``name`` and
            ``share`` of each name that was asked for.
        """
        height, width = self.labels.shape
        names = [
            {"label": label, "name": name, "share": round(share, 6)}
            for label, (name, share) in enumerate(self.shares.items())
        ]
        return {"image": self.path, "height": height, "width": width, "names": names}

    # The forms of files: each function is described in its module.

    def draw(self) -> np.ndarray:
        """Draw the areas on the image, with a legend; see ``drawn_labels.draw``."""
        from ovdistill.inference.drawn_labels import draw

        return draw(self)

    def show(self) -> None:
        """Open the drawing in a window; see ``drawn_labels.show``."""
        from ovdistill.inference.drawn_labels import show

        show(self)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the drawing (.png, .jpg) or the shares (.json); see ``drawn_labels.save``."""
        from ovdistill.inference.drawn_labels import save

        return save(self, path)

    def to_png(self) -> bytes:
        """Return the label map as a PNG file with a palette; see ``label_png.label_png``."""
        from ovdistill.inference.label_png import label_png

        return label_png(self.labels, len(self.names))

    def save_label_map(self, path: str | os.PathLike[str]) -> Path:
        """Write the label map as a PNG file; see ``label_png.save_label_png``."""
        from ovdistill.inference.label_png import save_label_png

        return save_label_png(path, self.labels, len(self.names))


def resize_labels(labels: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Return a (h, w) label map with H x W pixels, each of which has the label that is there."""
    if labels.shape == tuple(size):
        return labels
    rows, columns = (
        np.arange(new) * old // new for new, old in zip(size, labels.shape, strict=True)
    )
    return labels[rows[:, None], columns]
