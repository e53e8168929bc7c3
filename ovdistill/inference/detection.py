"""One detection, with its values as plain ones."""

from __future__ import annotations

import numpy as np

from ovdistill.inference.detections import Detections


class Detection(Detections):
    """One detection: ``Detections`` of length 1, and its values without the dimension n."""

    @property
    def name(self) -> str:
        """The query that it was found by."""
        return self.names[0]

    @property
    def score(self) -> float:
        """Its score, in [0, 1]."""
        return float(self.scores[0])

    @property
    def label(self) -> int:
        """The index of its query."""
        return int(self.labels[0])

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Its box, xyxy, absolute pixels of the original image."""
        x1, y1, x2, y2 = self.boxes[0].tolist()
        return x1, y1, x2, y2

    @property
    def area(self) -> float:
        """Its area in pixels of the original image, see ``areas``."""
        return float(self.areas[0])

    @property
    def mask(self) -> np.ndarray | None:
        """Its mask, (H, W) bool, in pixels of the original image; None without masks."""
        return next(self.full_masks(), None)

    @property
    def embedding(self) -> np.ndarray | None:
        """Its region embedding, (D,) float32, or None."""
        return None if self.embeddings is None else self.embeddings[0]

    @property
    def runner_up(self) -> tuple[str, float] | None:
        """The query that came second and its score, or None."""
        if self.runner_up_scores is None or not self.runner_up_names[0]:
            return None
        return self.runner_up_names[0], float(self.runner_up_scores[0])

    @property
    def track_id(self) -> int | None:
        """The number of its object in a video, from 1 on; None if it has none."""
        return None if self.track_ids is None else int(self.track_ids[0]) or None

    def crop(self, margin: float = 0.0) -> np.ndarray:
        """Cut it out of the image, (h, w, 3) uint8 RGB; see ``formats.crops.crops``."""
        return self.crops(margin)[0]
