"""How much faster other names are answered from kept regions than by another run.

    python -m benchmarks.requery                                     # the shipped detector
    python -m benchmarks.requery --config vild_r50_lvis --size 800x1333   # random weights

Prints medians of CPU time: of a run that keeps regions, of one that does not, and of new names for
the regions. Their text embeddings are made before, as they are for any image. Of the shipped
detector also the whole of ``requery`` with a text that changes every time, whose competitors are
chosen anew.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from itertools import cycle

import numpy as np
import torch

from ovdistill import Detector
from ovdistill.core.assets import SAMPLE_IMAGE
from ovdistill.core.images import read_image
from ovdistill.inference.asked import ask
from ovdistill.inference.engine import Engine
from ovdistill.inference.limits import Limits
from ovdistill.models.config import load_config
from ovdistill.vocabulary import Vocabulary

TEXTS = (
    "red star, ring, outlined cross, green heart, solid circle",
    "red star, ring, outlined cross, green heart",
)


def seconds(run: Callable[[], object], times: int) -> float:
    run()
    taken = []
    for _ in range(times):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def random_names(count: int, width: int) -> Vocabulary:
    rows = torch.nn.functional.normalize(torch.randn(count, width), dim=1)
    return Vocabulary(
        tuple(f"name {i}" for i in range(count)),
        rows,
        torch.ones(count, dtype=torch.bool),
        "random",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", help="a recipe, with random weights")
    parser.add_argument("--size", default="800x1333", help="of its image, height x width")
    parser.add_argument("--names", type=int, default=5)
    parser.add_argument("--times", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if options.config:
        height, width = map(int, options.size.split("x"))
        image = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
        config = load_config(options.config, {"model.backbone.init_cfg": None})
        asked = [ask(random_names(options.names, 512), None, list, None) for _ in range(2)]
        engine = Engine(config, None, torch.device("cpu"), asked[0])
        detector = None
    else:
        image = read_image(SAMPLE_IMAGE)
        detector = Detector.from_pretrained(device="cpu")
        detector.set_vocabulary(TEXTS[0])
        engine = detector.engine
        asked = [engine.asked, engine.asked]
    limits = Limits(0.3)
    (seen,) = engine.detect([image], limits, keep_regions=True)

    def other_names() -> None:
        engine.set_asked(asked[1])
        engine.classify(seen.regions, limits)

    kept = seconds(lambda: engine.detect([image], limits, keep_regions=True), options.times)
    once = seconds(lambda: engine.detect([image], limits, keep_regions=False), options.times)
    again = seconds(other_names, options.times)
    print(
        f"run with regions kept {kept * 1e3:.1f} ms, without {once * 1e3:.1f} ms, "
        f"other names {again * 1e3:.2f} ms: {kept / again:.0f} and {once / again:.0f} times faster"
    )
    if detector is not None:
        texts = cycle(TEXTS)
        whole = seconds(lambda: detector.requery(seen, next(texts)), options.times)
        print(f"requery with a new text each time {whole * 1e3:.2f} ms")


if __name__ == "__main__":
    main()
