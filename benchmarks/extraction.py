"""Region embeddings: our cropping and extraction beside the pipeline that papers use.

    python benchmarks/extraction.py --images FOLDER --annotations FILE --teacher ViT-B-32:openai

The plain pipeline cuts each box with PIL and preprocesses it with open_clip's own transform, one by
one. Prints, in one run on the same boxes: milliseconds of one core for cutting, resizing and
normalising a crop; the cosine of the embeddings (policy 'clip'); milliseconds of encoding alone at
each precision and batch size; the whole extraction beside the best of those; the hours for LVIS.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from open_clip.transform import image_transform
from PIL import Image
from torch import Tensor
from torch.nn.functional import cosine_similarity

from ovdistill.commands.main import run_options
from ovdistill.commands.options import option
from ovdistill.commands.teacher_options import TeacherOptions, teacher_arguments
from ovdistill.datasets.annotations import read_annotations
from ovdistill.extraction.estimate import bytes_per_region
from ovdistill.extraction.extract import ExtractionSettings, extract
from ovdistill.extraction.images import ImageFile, LoadedImage, load_image
from ovdistill.extraction.proposals import Proposals, ProposalSource
from ovdistill.inference.source_paths import find_paths
from ovdistill.teacher import OpenCLIPTeacher, build_teacher
from ovdistill.teacher.open_clip_teacher import to_input

BATCHES = (16, 32, 64, 128)
CROPS_AT_A_TIME = 32
LVIS_IMAGES, LVIS_BOXES, LVIS_SCALES = 100_000, 300, 2
STATED_RATE = 10_000  # crops a second on one accelerator: 0.1 ms each


class Boxes(ProposalSource):
    """Boxes with the sizes of labelled objects, at random places.

    Args:
        count: boxes in an image.
        sides: (n, 2) widths and heights to draw from, relative to the image's.
    """

    def __init__(self, count: int, sides: Tensor) -> None:
        self.count, self.sides = count, sides
        self.provenance = dict(kind="benchmark", source=f"{count} boxes", hash="")

    def propose(self, images: Sequence[LoadedImage]) -> list[Proposals]:
        """Propose boxes; see ``ProposalSource``."""
        return [self._boxes(p.pixels.shape[1:], p.file.image_id) for p in images]

    def _boxes(self, size: tuple[int, int], seed: int) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        height, width = size
        sides = self.sides[torch.randint(len(self.sides), (self.count,), generator=generator)]
        start = torch.rand(self.count, 2, generator=generator) * (1 - sides)
        unit = torch.cat([start, start + sides], dim=1)
        return unit * torch.tensor([width, height] * 2), torch.ones(self.count)


def labelled_sides(path: str) -> Tensor:
    """Return (n, 2) sides of labelled boxes of 4 pixels and more, relative to the image's."""
    found = read_annotations(path)
    sizes = {image["id"]: (image["width"], image["height"]) for image in found.images}
    sides = [
        [record["bbox"][2] / sizes[image_id][0], record["bbox"][3] / sizes[image_id][1]]
        for image_id, records in found.by_image.items()
        for record in records
        if min(record["bbox"][2:]) >= 4
    ]
    return torch.tensor(sides).clamp(max=1)


@dataclass(frozen=True, kw_only=True)
class BenchmarkOptions(TeacherOptions):
    """Options of this benchmark."""

    images: str = option(help="folder of photos", metavar="DIR")
    annotations: str = option(help="file whose labelled boxes give the sizes", metavar="FILE")
    count: int = option(3, help="photos for preprocessing")
    whole: int = option(10, help="photos for the whole extraction")
    boxes: int = option(300, help="boxes in a photo")
    repeats: int = option(5, help="number of repetitions, whose median is printed")


def main(args: BenchmarkOptions) -> None:
    """Measure and print; everything runs on the CPU, as the plain pipeline's preprocessing."""
    options = teacher_arguments(args)
    options["crops"] = dict(scales=[1.0], shape="clip")
    teacher = build_teacher(options)
    if teacher.random:
        print("RANDOM TEACHER WEIGHTS: speed only; the embeddings mean nothing")
    paths = find_paths(args.images).images[: args.count]
    files = [ImageFile(number, str(path)) for number, path in enumerate(paths)]
    images = [load_image(file) for file in files]
    source = Boxes(args.boxes, labelled_sides(args.annotations))
    boxes = [own for own, _ in source.propose(images)]

    cores = torch.get_num_threads()
    torch.set_num_threads(1)
    plain, ours = preprocessing(teacher, images, boxes, args.repeats)
    torch.set_num_threads(cores)
    precision, batch_size = best_encoding(options, args.repeats)
    paths = find_paths(args.images).images[: args.whole]
    files = [ImageFile(number, str(path)) for number, path in enumerate(paths)]
    whole_extraction(dict(options, precision=precision), files, source, batch_size, args.repeats)
    crops = LVIS_IMAGES * LVIS_BOXES * LVIS_SCALES
    size = LVIS_IMAGES * LVIS_BOXES * bytes_per_region(teacher.embed_dim) / 2**30
    print(
        f"LVIS, {LVIS_IMAGES:,} photos x {LVIS_BOXES} boxes x {LVIS_SCALES} scales: "
        f"{crops:,} crops, {size:.1f} GB"
    )
    print(
        f"  encoding at a stated {STATED_RATE:,} crops a second: {crops / STATED_RATE / 3600:.1f} h"
    )
    ours, plain = (f"{crops * seconds / 3600:.1f} h" for seconds in (ours, plain))
    print(f"  preprocessing on one core: ours {ours}, plain {plain}")


def preprocessing(
    teacher: OpenCLIPTeacher, images: list[LoadedImage], boxes: list[Tensor], repeats: int
) -> tuple[float, float]:
    """Print and return the seconds of one core for a crop, plain and ours."""
    size, mean, std = teacher.image_size, teacher.mean, teacher.std
    transform = image_transform(
        size,
        is_train=False,
        mean=tuple(mean.flatten().tolist()),
        std=tuple(std.flatten().tolist()),
        interpolation=teacher.interpolation,
        resize_mode="shortest",
    )
    pil_images = [Image.fromarray(p.pixels.permute(1, 2, 0).numpy()) for p in images]
    tensors = [image.pixels for image in images]

    def plain() -> Iterator[Tensor]:
        for image, own in zip(pil_images, boxes, strict=True):
            for box in own.tolist():
                yield transform(image.crop(tuple(map(round, box))))

    def ours() -> Iterator[Tensor]:
        stream = zip(tensors, boxes, strict=True)
        for batch in teacher.crops.crop(stream, size, teacher.interpolation, CROPS_AT_A_TIME):
            yield to_input(batch, mean, std, "fp32")

    count = sum(map(len, boxes))
    seconds = {plain: [], ours: []}
    for number in range(repeats + 1):  # in turn, so that both see the same machine
        for way, measured in seconds.items():
            once = _cpu_seconds(way) / count
            if number:  # the first round warms up
                measured.append(once)
    a, b = (statistics.median(seconds[way]) for way in (plain, ours))
    print(f"preprocessing of {count} crops, ms of a core: plain {1e3 * a:.2f}, ours {1e3 * b:.2f}")
    print(f"  ours is {a / b:.1f} times faster")
    with torch.inference_mode():
        reference = teacher.model.encode_image(torch.stack([*islice(plain(), CROPS_AT_A_TIME)]))
    embeddings = teacher.encode_regions(tensors[0], boxes[0][:CROPS_AT_A_TIME])
    cosine = cosine_similarity(reference.float(), embeddings)
    print(f"  cosine of {len(cosine)} embeddings, ours and plain: lowest {cosine.min():.5f}")
    return a, b


def best_encoding(options: dict[str, Any], repeats: int) -> tuple[str, int]:
    """Print the milliseconds of the encoder alone for a crop; return the fastest setting."""
    found = {}
    for precision in ("fp32", "bf16"):
        teacher = build_teacher(dict(options, precision=precision))
        for batch_size in BATCHES:
            seconds = [_encoder_seconds(teacher, batch_size) for _ in range(repeats)]
            found[precision, batch_size] = statistics.median(seconds)
            milliseconds = 1e3 * statistics.median(seconds)
            print(f"encoder alone, {precision}, batch {batch_size}: {milliseconds:.1f} ms a crop")
    return min(found, key=found.get)


def whole_extraction(
    options: dict[str, Any],
    files: list[ImageFile],
    source: ProposalSource,
    batch_size: int,
    repeats: int,
) -> None:
    """Print the time of a whole extraction, from reading to writing, beside the encoder alone."""
    teacher = build_teacher(options)
    settings = ExtractionSettings(batch_size=batch_size, workers=1)
    ratios = []
    for _ in range(repeats):
        before = _encoder_seconds(teacher, batch_size)
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            meta = extract(files, source, teacher, Path(folder, "store"), settings)
            seconds = (time.perf_counter() - start) / meta.counts["regions"]
            size = sum(f.stat().st_size for f in Path(folder, "store").glob("shard-*"))
        alone = (before + _encoder_seconds(teacher, batch_size)) / 2
        ratios.append(seconds / alone)
    print(
        f"whole extraction, {teacher.precision}, batch {batch_size}: {1 / seconds:.1f} regions a "
        f"second, {statistics.median(ratios):.3f} times the encoder alone (of {repeats}: "
        f"{', '.join(f'{ratio:.3f}' for ratio in sorted(ratios))}); "
        f"{size / meta.counts['regions']:.0f} bytes a region"
    )


def _encoder_seconds(teacher: OpenCLIPTeacher, batch_size: int, crops: int = 384) -> float:
    size, batches = teacher.image_size, max(1, crops // batch_size)
    noise = torch.randint(0, 256, (batch_size, size, size, 3), dtype=torch.uint8)
    pixels = to_input(noise.permute(0, 3, 1, 2), teacher.mean, teacher.std, teacher.precision)
    with torch.inference_mode():
        teacher.model.encode_image(pixels)
        start = time.perf_counter()
        for _ in range(batches):
            teacher.model.encode_image(pixels)
    return (time.perf_counter() - start) / batch_size / batches


def _cpu_seconds(work: Callable[[], Iterator[Tensor]]) -> float:
    start = time.process_time()
    for _ in work():  # as in use, nothing is kept
        pass
    return time.process_time() - start


if __name__ == "__main__":
    run_options(main)
