"""Counts the objects of a video by name."""

from __future__ import annotations

from collections import Counter, defaultdict

from ovdistill.inference.detections import Detections


class ObjectCounter:
    """Counts detections; with tracking, objects, each by the name that it had most often."""

    def __init__(self) -> None:
        self._detections = Counter[str]()
        self._objects: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self.is_tracked = False

    def add(self, found: Detections) -> None:
        """Count the detections in a frame."""
        self._detections.update(found.names)
        if found.track_ids is not None:
            self.is_tracked = True
            for number, name in zip(found.track_ids.tolist(), found.names, strict=True):
                if number:
                    self._objects[number][name] += 1

    @property
    def counts(self) -> Counter[str]:
        """The number of objects of each name, or of detections in all frames without tracking."""
        if not self.is_tracked:
            return self._detections
        return Counter(names.most_common(1)[0][0] for names in self._objects.values())
