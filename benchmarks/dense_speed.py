r"""Seconds for the regions of a photo: crops beside one pass over the whole image.

    python benchmarks/dense_speed.py --images FOLDER --annotations FILE --teacher ViT-B-16:openai

All ways embed the same boxes, with the sizes of labelled objects, in turns in one process. Printed
are medians over the photos: seconds of the processor, all cores together, or on a GPU of the clock.
The first photo warms up and is left out. Speed does not depend on the weights (--random-weights).
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from extraction import Boxes, labelled_sides

from ovdistill.commands.main import run_options
from ovdistill.commands.options import option
from ovdistill.commands.teacher.crops import crop_policies
from ovdistill.commands.teacher_options import TeacherOptions, load_teacher
from ovdistill.core.markdown import markdown_table
from ovdistill.extraction.images import ImageFile, load_image
from ovdistill.inference.source_paths import find_paths


@dataclass(frozen=True, kw_only=True)
class BenchmarkOptions(TeacherOptions):
    """Options of this benchmark."""

    images: str = option(help="folder of photos", metavar="DIR")
    annotations: str = option(help="file whose labelled boxes give the sizes", metavar="FILE")
    ways: tuple[str, ...] = option(
        ("clip:1", "square:1+1.5", "dense:640", "dense:1024"),
        help="ways to embed regions, see `ovdistill teacher evaluate --crops`; the first is the "
        "one that others are compared with",
    )
    count: int = option(4, help="photos, the first to warm up", least=2)
    boxes: int = option(300, help="boxes in a photo", least=1)
    batch_size: int = option(64, help="crops in a forward pass", least=1)


def main(options: BenchmarkOptions) -> None:
    """Measure and print a table."""
    teacher = load_teacher(options)
    paths = find_paths(options.images).images[: options.count]
    photos = [load_image(ImageFile(number, str(path))) for number, path in enumerate(paths)]
    source = Boxes(options.boxes, labelled_sides(options.annotations))
    policies = crop_policies(options.ways, teacher.crops)
    seconds: dict[str, list[float]] = {name: [] for name in policies}
    # seconds of all cores on a CPU, which other processes change little
    clock = time.process_time if teacher.device.type == "cpu" else time.perf_counter
    for photo, (boxes, _) in zip(photos, source.propose(photos), strict=True):
        for name, policy in policies.items():
            start = clock()
            teacher.encode_regions(photo.pixels, boxes, options.batch_size, policy).cpu()
            seconds[name].append(clock() - start)
    medians = {name: statistics.median(own[1:]) for name, own in seconds.items()}
    print(f"{teacher.name} on {teacher.device}: {options.boxes} boxes a photo, {len(photos) - 1}")
    rows = []
    first = next(iter(medians.values()))
    for name, median in medians.items():
        each = 1e3 * median / options.boxes
        rows.append([name, f"{median:.2f}", f"{each:.2f}", f"{first / median:.1f}"])
    print(markdown_table(["regions", "s a photo", "ms a region", "times fewer"], rows))


if __name__ == "__main__":
    run_options(main)
