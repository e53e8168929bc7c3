"""A folder of a segmentor's test, made of a few counts."""

from __future__ import annotations

import io
import json
from pathlib import Path

from PIL import Image

NAMES = ("sky", "road", "star")
PAIRS = [[0, 0, 60], [0, 1, 30], [0, -1, 10], [1, 1, 50], [2, 1, 30], [2, 2, 10]]


def write_run(folder: Path, names: tuple[str, ...] = NAMES, pairs: list[list[int]] = PAIRS) -> Path:
    """Write a run of three classes, of which the last one is novel, with two examples."""
    folder.mkdir(parents=True)
    classes = [
        dict(kind="semantic", name=name, group=group, IoU=iou, Acc=iou, pixels=1, predicted=1)
        for name, group, iou in zip(
            names, ("seen", "seen", "unseen"), (60.0, None, 25.0), strict=True
        )
    ]
    metrics = {"semantic/mIoU": 42.5, "semantic/uIoU": 25.0, "semantic/sIoU": -1.0}
    (folder / "examples").mkdir()
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, "webp")
    (folder / "examples" / "worst_0.webp").write_bytes(file.getvalue())
    example = dict(caption="a.png: mean IoU 3.0 %", source="a.png", file="worst_0.webp")
    lost = example | dict(file="best_0.webp")
    for name, content in (
        ("per_category.json", classes),
        ("metrics.json", metrics),
        ("provenance.json", dict(subset="test", seed=len(folder.parent.name))),
        ("pixel_pairs.json", dict(images=7, pairs=pairs)),
        ("examples/examples.json", dict(worst=[example], best=[lost])),
    ):
        (folder / name).write_text(json.dumps(content))
    return folder
