"""How fast an exported detector is, and how well it agrees with the detector.

    ovdistill make-ovshapes && python -m benchmarks.onnx_speed --images data/ovshapes/images/test
    python -m benchmarks.onnx_speed --config vild_r50_lvis --size 800x1333   # random weights

The first compares 50 test images, each enlarged or reduced by a factor that is drawn from 0.5 to 5,
and prints the differences of all detections with a score over 0.05. Both print medians of CPU time
an image, side by side with the same number of threads: of the detector in PyTorch, which keeps no
regions, and of onnxruntime. CPU time does not depend on what else runs. The export takes a minute
or more.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ovdistill import Detector, OnnxDetector
from ovdistill.core.assets import SAMPLES
from ovdistill.core.recipes import find_recipe
from ovdistill.inference.agreement import agreement, together
from ovdistill.inference.limits import Limits
from ovdistill.inference.onnx_export import export_onnx
from ovdistill.inference.pretrained import DetectorFiles
from ovdistill.vocabulary import Vocabulary

TEXT = "ring, star, heart, cross, circle, square, triangle, arrow"
LEAST = 0.05


def side_by_side(runs: Sequence[Callable[[], object]], times: int) -> list[float]:
    """Return the median CPU seconds of each of several runs, which take turns."""
    taken: list[list[float]] = [[] for _ in runs]
    for run in runs:
        run()
    for _ in range(times):
        for run, own in zip(runs, taken, strict=True):
            start = time.process_time()
            run()
            own.append(time.process_time() - start)
    return [statistics.median(own) for own in taken]


def sized_images(folder: Path, count: int) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    images = []
    for path in sorted(folder.glob("*.png"))[:count]:
        image = Image.open(path).convert("RGB")
        factors = random.uniform(0.5, 5) * random.uniform(0.7, 1.4, 2)
        sides = [max(8, round(side * f)) for side, f in zip(image.size, factors, strict=True)]
        images.append(np.asarray(image.resize(sides)))
    return images


def random_detector(config: str, names: int) -> Detector:
    """Return the detector of a recipe with random weights and random text embeddings."""
    torch.manual_seed(0)
    files = DetectorFiles(find_recipe(config), None)  # type: ignore[arg-type]  # random
    detector = Detector(files, "cpu", overrides={"model.backbone.init_cfg": None})
    embeddings = np.random.default_rng(0).standard_normal((names, 512), dtype=np.float32)
    vocabulary = Vocabulary.from_array(embeddings, [f"name {i}" for i in range(names)])
    detector.set_vocabulary(vocabulary)
    return detector


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, default=SAMPLES, help="folder of PNG files")
    parser.add_argument("--count", type=int, default=50, help="images to compare")
    parser.add_argument("--config", help="a recipe, with random weights")
    parser.add_argument("--size", default="800x1333", help="of its image, height x width")
    parser.add_argument("--names", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--times", type=int, default=30)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.config:
        detector = random_detector(options.config, options.names)
        height, width = map(int, options.size.split("x"))
        images = [np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)]
    else:
        detector = Detector.from_pretrained(device="cpu")
        detector.set_vocabulary(TEXT)
        images = sized_images(options.images, options.count)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        export_onnx(detector, Path(folder) / "model.onnx")
        print(f"exported in {time.perf_counter() - start:.0f} s")
        exported = OnnxDetector(Path(folder) / "model.onnx", threads=options.threads)
    limits = Limits(LEAST / 2)
    engine = detector.engine
    found = together(
        agreement(
            exported.detect([image], limits)[0],
            engine.detect([image], limits, keep_regions=False)[0],
            LEAST,
        )
        for image in images
    )
    print(f"{len(images)} images: {found}")
    image, limits = images[0], Limits()
    eager, onnx = side_by_side(
        [
            lambda: engine.detect([image], limits, keep_regions=False),
            lambda: exported.detect([image], limits),
        ],
        options.times,
    )
    print(
        f"PyTorch {eager * 1e3:.1f} ms, onnxruntime {onnx * 1e3:.1f} ms an image, "
        f"{options.threads} threads: {eager / onnx:.2f} times as fast"
    )


if __name__ == "__main__":
    main()
