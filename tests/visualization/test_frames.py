"""Frames of a video are drawn in their own size, and alike from frame to frame."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ovdistill.visualization.frames import FrameDrawer
from ovdistill.visualization.palette import ALARM, class_colour

GROUND = np.full((180, 320, 3), 128, np.uint8)


@dataclass(frozen=True)
class Found:
    """n detections, as ``Drawable`` has them."""

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    masks: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.scores)


def found(*boxes: tuple[float, float, float, float]) -> Found:
    count = len(boxes)
    scores = np.linspace(0.9, 0.5, count)
    labels = np.arange(count)
    return Found(np.array(boxes, float).reshape(-1, 4), scores, labels, ("star",) * count)


def pixels(drawn: np.ndarray, colour: tuple[int, int, int]) -> int:
    return int((drawn == colour).all(axis=-1).sum())


def test_a_frame_keeps_its_size_and_is_not_changed_itself() -> None:
    frame = GROUND.copy()
    for boxes in ([], [(20, 40, 90, 90)], [(i, 20, i + 60, 120) for i in range(0, 240, 8)]):
        assert FrameDrawer().draw(frame, found(*boxes)).shape == (180, 320, 3)
    assert (frame == 128).all()
    np.testing.assert_array_equal(FrameDrawer().draw(frame, found()), frame)


def test_colours_are_those_of_classes_whatever_the_order_of_the_detections() -> None:
    both = found((20, 40, 90, 90), (200, 60, 260, 120))
    turned = replace(both, **{name: getattr(both, name)[::-1] for name in ("boxes", "labels")})
    first, second = FrameDrawer().draw(GROUND, both), FrameDrawer().draw(GROUND, turned)
    for drawn in (first, second):
        assert pixels(drawn[30:95, 15:95], class_colour(0)) > 200
        assert pixels(drawn[50:125, 195:265], class_colour(1)) > 200
        assert not pixels(drawn[:, :150], class_colour(1))


def test_the_hatch_of_an_object_is_that_of_its_number() -> None:
    masks = np.zeros((2, 180, 320), bool)
    masks[0, 40:90, 20:90] = masks[1, 60:120, 200:260] = True
    both = replace(
        found((20, 40, 90, 90), (200, 60, 260, 120)), masks=masks, labels=np.zeros(2, int)
    )
    alone = replace(
        both, **{name: getattr(both, name)[1:] for name in ("boxes", "scores", "labels", "masks")},
        names=("star",),
    )  # fmt: skip
    inside = (slice(65, 115), slice(205, 255))
    drawn = FrameDrawer().draw(GROUND, both, [4, 7])[inside]
    np.testing.assert_array_equal(FrameDrawer().draw(GROUND, alone, [7])[inside], drawn)
    assert (FrameDrawer().draw(GROUND, alone, [4])[inside] != drawn).any()


def test_a_note_stands_at_the_bottom_of_every_frame() -> None:
    drawer = FrameDrawer("NO MEANING")
    for _ in range(2):
        drawn = drawer.draw(GROUND, found())
        assert pixels(drawn[-16:], ALARM) > 300 and not pixels(drawn[:-25], ALARM)
