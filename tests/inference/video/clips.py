"""Makes small videos: a star and a heart that pass each other, with a sine tone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ovdistill.inference.detections import Detections
from ovdistill.ovshapes.drawing import draw_background, paint, stamp

SOUND_RATE = 48_000  # samples a second
TONE = 440  # hertz


def scene(count: int = 20, size: tuple[int, int] = (96, 64)) -> Iterator[np.ndarray]:
    """Yield (H, W, 3) uint8 frames in which a green star goes right and a red heart left.

    Args:
        count: frames.
        size: width and height.
    """
    width, height = size
    ground = draw_background("cloudy", max(size), np.random.default_rng(1))[:height]
    side = 0.4 * height
    for i in range(count):
        x = side + (width - 2 * side) * i / max(1, count - 1)
        canvas = ground.copy()
        star = stamp("star", side, 0.0, (x, 0.27 * height))
        heart = stamp("heart", side, 0.0, (width - x, 0.73 * height))
        paint(canvas, ground, star, "solid", "green", np.random.default_rng(2))
        paint(canvas, ground, heart, "solid", "red", np.random.default_rng(3))
        yield canvas.round().astype(np.uint8)


def write_clip(
    path: Path,
    frames: Iterable[np.ndarray] | None = None,
    *,
    rate: Fraction | int = 25,
    codec: str = "libx264",
    sound: str | None = "aac",
    sound_rate: int = SOUND_RATE,
) -> Path:
    """Write a video whose sound is as long as its frames; the default is ``scene()``."""
    import av

    images = list(scene() if frames is None else frames)
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=rate)
        video.height, video.width = images[0].shape[:2]
        video.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
        voice = container.add_stream(sound, rate=sound_rate) if sound else None
        if voice is not None:  # the container puts frames and sound in order
            container.mux(voice.encode(_tone(av, len(images) / float(rate), sound_rate)))
            container.mux(voice.encode())
        for image in images:
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(video.encode())
    return path


def _tone(av: Any, seconds: float, rate: int) -> Any:
    times = np.arange(int(seconds * rate)) / rate
    samples = (10_000 * np.sin(2 * np.pi * TONE * times)).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
    frame.sample_rate = rate
    return frame


def packets(path: Path, kind: str) -> list[bytes]:
    """Return the encoded packets of the "video" or the "audio" of a file."""
    import av

    with av.open(str(path)) as container:
        stream = getattr(container.streams, kind)[0]
        return [bytes(packet) for packet in container.demux(stream) if packet.size]


def found_at(*boxes: tuple[float, float, float, float], names: tuple[str, ...] = ()) -> Detections:
    """Return detections of a star each, or of other names, with falling scores."""
    names = names or ("star",) * len(boxes)
    queries = tuple(dict.fromkeys(("star", *names)))
    return Detections(
        boxes=np.array(boxes, dtype=np.float32).reshape(-1, 4),
        scores=np.linspace(0.9, 0.5, len(boxes), dtype=np.float32),
        labels=np.array([queries.index(name) for name in names], dtype=np.int64),
        names=names,
        queries=queries,
    )
