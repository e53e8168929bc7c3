"""The detections in one image, as users get them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from ovdistill.core.errors import UserError
from ovdistill.core.text import printable
from ovdistill.inference.packed_masks import MasksField, PackedMasks, held_masks

if TYPE_CHECKING:
    import fiftyone
    import supervision

    from ovdistill.inference.detection import Detection

SHOWN = 3  # detections that ``repr`` names
# the fields with a value for each detection; the others are those of the image
PER_DETECTION = (
    *("boxes", "scores", "labels", "names", "masks"),
    *("runner_up_names", "runner_up_scores", "embeddings", "region_rows", "track_ids"),
)


@dataclass(frozen=True, eq=False, repr=False)
class Detections:
    """n detections in an image of H x W pixels, best first.

    Examples:
        >>> for one in detections.filter(min_score=0.5):
        ...     print(one.name, one.score, one.box)
        >>> detections[:3].save("best.png")

    Attributes:
        boxes: (n, 4) float32, xyxy, absolute pixels of the original image.
        scores: (n,) float32 in [0, 1].
        labels: (n,) int64, indices into the queries.
        names: the query of each detection.
        masks: (n, h, w) bool, or None if the detector has no masks. Of an image that was reduced
            (see ``large_images``) they have the pixels of the reduced one; ``full_masks`` gives
            them in those of the original. After ``compact`` they are unpacked each time.
        size: H and W of the original image; None where the image or the masks say it.
        runner_up_names: the query that came second for each detection, None where there is none;
            empty if unknown.
        runner_up_scores: (n,) float32, the scores of the runners-up, or None if unknown.
        embeddings: (n, D) float32, the region embedding of each detection, or None.
        region_rows: (n,) int64, the region of each detection, an index into ``regions``, or None.
        track_ids: (n,) int64, in a video the number of the object, from 1 on; 0 for one that was
            seen once only, so far. None without tracking.
        queries: all texts that were looked for, or empty if unknown.
        image: (H, W, 3) uint8 RGB, the original image, or None.
        path: the file of the image, or None.
        regions: what ``Detector.requery`` needs, or None.
        nearest: where nothing was found, the name that came nearest and its score.
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    masks: MasksField = MasksField()
    size: tuple[int, int] | None = None
    runner_up_names: tuple[str | None, ...] = ()
    runner_up_scores: np.ndarray | None = None
    embeddings: np.ndarray | None = None
    region_rows: np.ndarray | None = None
    track_ids: np.ndarray | None = None
    queries: tuple[str, ...] = ()
    image: np.ndarray | None = None
    path: str | None = None
    regions: Any = None
    nearest: tuple[str, float] | None = None

    def __len__(self) -> int:
        return len(self.scores)

    def __repr__(self) -> str:
        if not len(self):
            return "no detections"
        best = zip(self.names[:SHOWN], self.scores[:SHOWN], strict=True)
        shown = [f"{printable(name)} {score:.2f}" for name, score in best]
        count = "1 detection" if len(self) == 1 else f"{len(self)} detections"
        more = ", ..." if len(self) > SHOWN else ""
        return f"{count}: {', '.join(shown)}{more}"

    def _repr_png_(self) -> bytes | None:
        """Return the drawing for a notebook; None if the image is unknown."""
        from ovdistill.inference.drawn import to_png

        return None if self.image is None and self.path is None else to_png(self)

    @overload
    def __getitem__(self, key: int) -> Detection: ...

    @overload
    def __getitem__(self, key: slice | np.ndarray | Sequence[Any]) -> Detections: ...

    def __getitem__(self, key: Any) -> Detections:
        """Return one detection; or those of a slice, of indices or of a (n,) bool array."""
        from ovdistill.inference.detection import Detection

        if isinstance(key, int | np.integer):
            index = range(len(self))[key]  # raises IndexError
            return Detection(**self._subset(slice(index, index + 1)))
        if not isinstance(key, slice):
            key = np.asarray(key) if len(key) else np.zeros(0, dtype=int)
        return Detections(**self._subset(key))

    def __iter__(self) -> Iterator[Detection]:
        return (self[index] for index in range(len(self)))

    def _subset(self, key: slice | np.ndarray) -> dict[str, Any]:
        """Return the fields of some detections, by name."""
        values = {field.name: vars(self)[field.name] for field in fields(self)}  # masks as held
        chosen = np.arange(len(self))[key].tolist()
        for name in PER_DETECTION:
            value = values[name]
            if isinstance(value, np.ndarray | PackedMasks):
                values[name] = value[key]
            elif value:
                values[name] = tuple(value[index] for index in chosen)
        return values

    def filter(
        self,
        name: str | Collection[str] | None = None,
        min_score: float = 0.0,
        min_area: float = 0.0,
    ) -> Detections:
        """Return the detections that fit all of these conditions.

        Args:
            name: the query, or several.
            min_score: the lowest score.
            min_area: the smallest area, see ``areas``.

        Raises:
            UserError: nothing of that name was looked for.
        """
        names = {name} if isinstance(name, str) else set(self.names if name is None else name)
        if unknown := names.difference(self.queries, self.names) if self.queries else None:
            raise UserError(f"got the names {sorted(unknown)}; expected some of {self.queries}")
        keep = (self.scores >= min_score) & (self.areas >= min_area)
        return self[keep & np.array([one in names for one in self.names], dtype=bool)]

    @property
    def counts(self) -> Counter[str]:
        """The number of detections of each name; 0 for any other name."""
        return Counter(self.names)

    @property
    def image_size(self) -> tuple[int, int] | None:
        """H and W of the original image, or None if nothing says it."""
        if self.size is not None:
            return self.size
        if self.image is not None:
            return self.image.shape[0], self.image.shape[1]
        masks = held_masks(self)
        return None if masks is None else (masks.shape[1], masks.shape[2])

    @property
    def areas(self) -> np.ndarray:
        """(n,) float: the area of each mask, or of each box, in pixels of the original image."""
        masks = held_masks(self)
        if masks is None:
            return (self.boxes[:, 2:] - self.boxes[:, :2]).clip(0).prod(axis=1)
        counts = np.array([np.count_nonzero(mask) for mask in masks], dtype=float)
        height, width = self.image_size or masks.shape[1:]
        return counts * (height * width / max(1, masks.shape[1] * masks.shape[2]))

    def full_masks(self) -> Iterator[np.ndarray]:
        """Yield each mask, (H, W) bool, in pixels of the original image."""
        from ovdistill.inference.formats.parts import full_mask

        masks = held_masks(self)
        return (full_mask(mask, self.image_size) for mask in (() if masks is None else masks))

    def moved(self, old: tuple[int, int], new: tuple[int, int]) -> Detections:
        """Return the same detections in an image that was resized; the masks stay as they are.

        Args:
            old: H and W of the image that the boxes are of.
            new: H and W of the image that they are to be of. ``image`` is dropped if it is not
                of this size.
        """
        scale = np.array([new[1] / old[1], new[0] / old[0]] * 2, dtype=np.float32)
        fits = self.image is not None and self.image.shape[:2] == tuple(new)
        image = self.image if fits else None
        return replace(self, boxes=self.boxes * scale, size=new, image=image)

    def compact(self) -> Detections:
        """Return the same in little memory, as one of many images is held.

        Without the image if its file is named, and with the masks packed; see ``packed_masks``.
        """
        masks = held_masks(self)
        if isinstance(masks, np.ndarray):
            masks = PackedMasks.of(masks, (masks.shape[1], masks.shape[2]))
        return replace(self, masks=masks, image=self.image if self.path is None else None)

    # Drawings and crops need the image: ``image``, or the file at ``path``.

    def draw(self) -> np.ndarray:
        """Draw boxes, masks and names on the image; see ``drawn.draw``."""
        from ovdistill.inference.drawn import draw

        return draw(self)

    def show(self) -> None:
        """Open the drawing in a window; see ``drawn.show``."""
        from ovdistill.inference.drawn import show

        show(self)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the drawing (.png, .jpg) or the records (.json); see ``drawn.save``."""
        from ovdistill.inference.drawn import save

        return save(self, path)

    def crops(self, margin: float = 0.0) -> list[np.ndarray]:
        """Cut each detection out of the image; see ``formats.crops.crops``."""
        from ovdistill.inference.formats.crops import crops

        return crops(self, margin)

    def save_crops(self, folder: str | os.PathLike[str], margin: float = 0.0) -> list[Path]:
        """Write each crop as a PNG file; see ``formats.crops.save_crops``."""
        from ovdistill.inference.formats.crops import save_crops

        return save_crops(self, folder, margin)

    # The forms of other programs: each is a module of ``formats``, which describes it.

    def records(self) -> list[dict[str, Any]]:
        """Return a dict for each detection; see ``formats.json_records.records``."""
        from ovdistill.inference.formats.json_records import records

        return records(self)

    def to_dict(self) -> dict[str, Any]:
        """Return all in a form that JSON can hold; see ``formats.json_records.to_dict``."""
        from ovdistill.inference.formats.json_records import to_dict

        return to_dict(self)

    def to_json(self) -> str:
        """Return ``to_dict`` as a text."""
        from ovdistill.inference.formats.json_records import to_json

        return to_json(self)

    def to_coco(
        self, image_id: int, category_ids: Mapping[str, int] | None = None
    ) -> list[dict[str, Any]]:
        """Return COCO's results of one image; see ``formats.coco.coco_results``."""
        from ovdistill.inference.formats.coco import coco_results

        return coco_results(self, image_id, category_ids)

    def to_yolo(self, class_ids: Mapping[str, int] | None = None, *, masks: bool = False) -> str:
        """Return the lines of a YOLO label file; see ``formats.yolo.yolo_lines``."""
        from ovdistill.inference.formats.yolo import yolo_lines

        return yolo_lines(self, class_ids, masks=masks)

    def to_voc(self) -> str:
        """Return a PASCAL VOC annotation, an XML text; see ``formats.voc.voc_xml``."""
        from ovdistill.inference.formats.voc import voc_xml

        return voc_xml(self)

    def to_label_studio(
        self, image_url: str | None = None, *, masks: bool = False
    ) -> dict[str, Any]:
        """Return a task with predictions; see ``formats.label_studio.label_studio_task``."""
        from ovdistill.inference.formats.label_studio import label_studio_task

        return label_studio_task(self, image_url, masks=masks)

    def to_supervision(self) -> supervision.Detections:
        """Return supervision's Detections; see ``formats.to_supervision``."""
        from ovdistill.inference.formats.to_supervision import to_supervision

        return to_supervision(self)

    def to_fiftyone(self) -> fiftyone.Detections:
        """Return FiftyOne's Detections; see ``formats.to_fiftyone``."""
        from ovdistill.inference.formats.to_fiftyone import to_fiftyone

        return to_fiftyone(self)
