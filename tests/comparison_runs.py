"""The files that runs of a comparison leave, for tests of its table and of its command."""

from __future__ import annotations

import json
from pathlib import Path


def write_runs(folder: Path) -> None:
    """Two seeds of 'vild', one of 'hierkd', and one of 'text' that has not been tested."""
    runs = {("vild", 0): (30.0, 70.0), ("vild", 1): (34.0, 72.0), ("hierkd", 0): (40.0, 60.0)}
    for (row, seed), (novel, base) in runs.items():
        run = folder / row / f"seed{seed}"
        (run / "test").mkdir(parents=True)
        metrics = {"bbox/AP_novel": novel, "bbox/AP_base": base, "bbox/APl": -1.0}
        (run / "test" / "metrics.json").write_text(json.dumps(metrics))
        origin = dict(seconds_per_image=0.0625, device="cpu")
        (run / "test" / "provenance.json").write_text(json.dumps(origin))
        (run / "2026" / "vis_data").mkdir(parents=True)
        lines = [dict(loss=1.0, time=t, memory=100) for t in (0.9, 0.2, 0.3)] + [{"bbox/AP": 1}]
        scalars = "\n".join(map(json.dumps, lines))
        (run / "2026" / "vis_data" / "scalars.json").write_text(scalars)
    (folder / "text" / "seed0").mkdir(parents=True)
