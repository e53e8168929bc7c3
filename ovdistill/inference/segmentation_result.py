"""The label map of one image, as users get it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.core.text import printable

if TYPE_CHECKING:
    from ovdistill.inference.score_maps import ScoreMaps

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
        score_maps: the scores of all names at every pixel, or None if they were not kept.
    """

    labels: np.ndarray
    names: tuple[str, ...]
    confidence: np.ndarray
    image: np.ndarray | None = None
    path: str | None = None
    score_maps: ScoreMaps | None = None

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
        return self._kept_scores().of(self.row(name))

    def rank_names(self, x: int, y: int, most: int = 5) -> list[tuple[str, float]]:
        """Return the names that fit a pixel best with their scores, best first.

        Args:
            x: column of the pixel.
            y: its row.
            most: how many names at most; those that only compete are among them.

        Raises:
            UserError: the pixel is outside of the image, or the scores were not kept.
        """
        height, width = self.labels.shape
        if not (0 <= x < width and 0 <= y < height):
            raise UserError(
                f"got the pixel ({x}, {y}); expected one of an image of {width} x {height}"
            )
        return self._kept_scores().ranked(x, y)[:most]

    def filter(self, min_score: float) -> SegmentationResult:
        """Return the label map in which pixels of a lower score have no name."""
        labels = np.where(self.confidence >= min_score, self.labels, np.int32(-1))
        return replace(self, labels=labels)

    def compact(self) -> SegmentationResult:
        """Return the same without the image, if its file is named."""
        return self if self.path is None else replace(self, image=None)

    def _kept_scores(self) -> ScoreMaps:
        if self.score_maps is None:
            raise UserError(
                "the scores of this result were not kept: predict(..., keep_scores=True)"
            )
        return self.score_maps

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
